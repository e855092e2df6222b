// SPDX-License-Identifier: GPL-3.0-or-later
// What: what a run's event log already holds, so that a run that was killed does not repeat finished work.
#pragma once

#include "base/result.h"
#include "wire/events.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace qw::engine {

struct Journal {
    int64_t lastSeq = 0;
    int attempts = 0;
    std::optional<wire::Attempt> lastAttempt;
    std::optional<wire::StateChange> lastState;
    std::vector<wire::EvalDone> evals;
    std::vector<wire::Artifact> artifacts;
    std::vector<wire::Settings> settings;

    void add(const wire::Event& event);
    // A finished evaluation of this task and variant whose items, if any, are still there.
    [[nodiscard]] bool hasEval(const std::filesystem::path& runDir, const std::string& task, const std::string& variant) const;
    // An artifact that was announced and is still there.
    [[nodiscard]] bool hasArtifact(const std::filesystem::path& runDir, const std::string& kind) const;
    [[nodiscard]] bool completed() const { return lastState && lastState->state == records::RunState::Completed; }
};

} // namespace qw::engine
