// SPDX-License-Identifier: GPL-3.0-or-later
// What: a run's weights written in a format, and the sheet that proves it kept with the run: in its event log, so in the store too.
#pragma once

#include "formats/format.h"
#include "records/recipe.h"
#include "store/store.h"

namespace qw::drive {

inline constexpr int64_t kEndOfRun = -1; // in place of a step: what training ended with

// Of a run: the folder that a format starts from, quantized codes or latent weights, as training left it; or, with a step, what
// checkpointFolders made of that checkpoint. usage when it has none. By name only; its content is not looked at.
[[nodiscard]] Result<std::filesystem::path> exportFolder(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts,
                                                         const formats::Format& format, int64_t step = kEndOfRun);
// The same with every byte as it was written: file.corrupt when it was changed since.
[[nodiscard]] Result<std::filesystem::path> exportSource(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts,
                                                         const formats::Format& format, int64_t step = kEndOfRun);
[[nodiscard]] Result<std::filesystem::path> exportSource(const store::Store& store, const store::RunInfo& run,
                                                         const formats::Format& format, int64_t step = kEndOfRun);
// How a folder that the run was written to is evaluated: tasks, data and settings of the run, so that both can be held against each
// other. usage when the run measured nothing. artifacts: of the run; they tell from which checkpoint the folder is.
struct Evaluation {
    records::RunIdentity identity; // role exported, beside the run in its study
    records::Recipe recipe;
};
[[nodiscard]] Result<Evaluation> evaluationOf(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts,
                                              const std::filesystem::path& folder);
// Appends an artifact event of kind "export" to the run's log under its lock and brings the store up to date. engine.busy while it works.
// info: the sheet as JSON; step: of the checkpoint it was made from.
[[nodiscard]] Status recordExport(store::Store& store, const store::RunInfo& run, const std::filesystem::path& out,
                                  const formats::Exported& exported, const std::string& info, int64_t step = kEndOfRun);
// The same for any artifacts, when the run's lock is held already.
[[nodiscard]] Status appendArtifacts(store::Store& store, const store::RunInfo& run, const std::vector<wire::Artifact>& artifacts);

} // namespace qw::drive
