// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/journal.h"

#include <algorithm>
#include <type_traits>

namespace qw::engine {
namespace fs = std::filesystem;

void Journal::add(const wire::Event& event) {
    lastSeq = std::max(lastSeq, event.seq);
    std::visit(
        [this](const auto& payload) {
            using T = std::decay_t<decltype(payload)>;
            if constexpr (std::is_same_v<T, wire::Attempt>) {
                attempts = std::max(attempts, payload.attempt);
                lastAttempt = payload;
            } else if constexpr (std::is_same_v<T, wire::StateChange>)
                lastState = payload;
            else if constexpr (std::is_same_v<T, wire::EvalDone>)
                evals.push_back(payload);
            else if constexpr (std::is_same_v<T, wire::Artifact>)
                artifacts.push_back(payload);
            else if constexpr (std::is_same_v<T, wire::Settings>)
                settings.push_back(payload);
        },
        event.payload);
}

bool Journal::hasEval(const fs::path& runDir, const std::string& task, const std::string& variant) const {
    return std::ranges::any_of(evals, [&](const wire::EvalDone& done) {
        std::error_code error;
        const auto& r = done.result;
        return r.task == task && r.variant == variant && r.atStep < 0 && (r.itemsPath.empty() || fs::exists(runDir / r.itemsPath, error));
    });
}

bool Journal::hasArtifact(const fs::path& runDir, const std::string& kind) const {
    return std::ranges::any_of(artifacts, [&](const wire::Artifact& artifact) {
        std::error_code error;
        return artifact.kind == kind && fs::exists(runDir / artifact.path / "config.json", error);
    });
}

} // namespace qw::engine
