// SPDX-License-Identifier: GPL-3.0-or-later
// What: a checkpoint of a run as the model folders that training would have ended with there; made once, kept in the run's folder.
// Why here: every format starts from such folders, so the best checkpoint leaves by the same way as the end of a run.
#pragma once

#include "store/store.h"

#include <functional>
#include <string>
#include <vector>

namespace qw::drive {

inline constexpr const char* kOfCheckpoint = "checkpoint_"; // before the kind of an artifact that was made of one

struct ExportableStep {
    int64_t step = 0;
    bool best = false; // the lowest evaluation loss so far when it was saved, and no later one is lower
};
// Ascending: the checkpoints that lie on disk, and those that folders were made of before they were removed.
[[nodiscard]] std::vector<ExportableStep> exportableSteps(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts);
// word: "best", "last" or a step. engine.state when the run has none such, naming those it has.
[[nodiscard]] Result<int64_t> exportableStep(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts,
                                             const std::string& word);

// The engine's answer to op "export" with these parameters.
using AskEngine = std::function<Result<std::string>(const std::string& params)>;
// Makes the folders unless they are there and the checkpoint is still the one they were made of; the run lists them as artifacts of kind
// checkpoint_model and checkpoint_native. engine.busy while the run works; after an error nothing is left.
[[nodiscard]] Status checkpointFolders(store::Store& store, const store::RunInfo& run, int64_t step, const AskEngine& askEngine);

} // namespace qw::drive
