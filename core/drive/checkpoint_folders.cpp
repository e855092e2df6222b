// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/checkpoint_folders.h"

#include "base/digest.h"
#include "drive/export_run.h"
#include "wire/run_folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace qw::drive {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What a checkpoint is known by: its list of files with their digests.
Result<std::string> stampOf(const store::RunInfo& run, int64_t step) {
    return xxh3File(wire::RunFolder{run.dir}.checkpoints() / wire::checkpointName(step) / wire::kCheckpointManifest);
}

// All folders that were made of this checkpoint are there, and it is still the one they were made of, if it is there itself.
bool areThere(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts, int64_t step,
              const Result<std::string>& stamp) {
    size_t found = 0, made = 1;
    for (const auto& artifact : artifacts) {
        if (!artifact.kind.starts_with(kOfCheckpoint) || artifact.step != step) continue;
        const json info = json::parse(artifact.info, nullptr, false);
        if (!info.is_object() || !store::isOnDisk(run, artifact) || (stamp && info.value("checkpoint", "") != *stamp)) return false;
        made = info.value("folders", size_t{1});
        ++found;
    }
    return found == made;
}

Error noSuch(const store::RunInfo& run, const std::string& word, const std::vector<ExportableStep>& steps) {
    std::string known;
    for (const ExportableStep& one : steps) known += (known.empty() ? "" : ", ") + std::to_string(one.step) + (one.best ? " (best)" : "");
    return {"engine.state", "run " + run.identity.name + " has no checkpoint " + word,
            known.empty() ? "it has none at all; leave --step out to export what it ended with" : "it has those of steps " + known, "",
            false};
}

} // namespace

std::vector<ExportableStep> exportableSteps(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts) {
    std::set<int64_t> steps;
    for (const int64_t step : wire::checkpointSteps(wire::RunFolder{run.dir}.checkpoints())) steps.insert(step);
    for (const auto& artifact : artifacts)
        if (artifact.kind.starts_with(kOfCheckpoint) && store::isOnDisk(run, artifact)) steps.insert(artifact.step);
    int64_t best = -1, newestMs = -1;
    for (const auto& artifact : artifacts) {
        const bool claims = artifact.kind == "checkpoint" && artifact.info.find("\"best\":true") != std::string::npos;
        if (claims && steps.contains(artifact.step) && artifact.createdMs >= newestMs) {
            best = artifact.step;
            newestMs = artifact.createdMs;
        }
    }
    std::vector<ExportableStep> out;
    for (const int64_t step : steps) out.push_back({step, step == best});
    return out;
}

Result<int64_t> exportableStep(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts, const std::string& word) {
    const auto steps = exportableSteps(run, artifacts);
    if (word == "last" && !steps.empty()) return steps.back().step;
    for (const ExportableStep& one : steps)
        if (word == "best" ? one.best : word == std::to_string(one.step)) return one.step;
    return noSuch(run, word == "best" || word == "last" ? "'" + word + "'" : "of step " + word, steps);
}

Status checkpointFolders(store::Store& store, const store::RunInfo& run, int64_t step, const AskEngine& askEngine) {
    QW_TRY(const auto artifacts, store.artifacts(run.identity.uid));
    const auto stamp = stampOf(run, step);
    if (areThere(run, artifacts, step, stamp)) return {};
    if (!stamp) return noSuch(run, "of step " + std::to_string(step), exportableSteps(run, artifacts));
    QW_TRY(const auto lock, wire::takeRunLock({run.dir})); // nobody removes the checkpoint meanwhile
    const fs::path out = run.dir / "exports" / wire::checkpointName(step);
    std::error_code error;
    fs::remove_all(out, error); // of a try that was killed
    const auto answer = askEngine(json{{"run", run.dir.string()}, {"step", step}, {"out", out.string()}}.dump());
    if (!answer) {
        fs::remove_all(out, error);
        return answer.error();
    }
    std::vector<wire::Artifact> made;
    const json parts = json::parse(*answer).at("parts");
    for (const auto& part : parts) {
        const std::string kind = part["kind"];
        json info = part["info"];
        info["checkpoint"] = *stamp;
        info["folders"] = parts.size();
        wire::Artifact artifact;
        artifact.kind = kOfCheckpoint + kind;
        artifact.path = (fs::path("exports") / wire::checkpointName(step) / kind).string();
        artifact.hash = part["hash"];
        artifact.bytes = part["bytes"];
        artifact.info = info.dump();
        artifact.step = step;
        made.push_back(std::move(artifact));
    }
    return appendArtifacts(store, run, made);
}

} // namespace qw::drive
