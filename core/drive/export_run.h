// SPDX-License-Identifier: GPL-3.0-or-later
// What: a run's weights written in a format, and the sheet that proves it kept with the run: in its event log, so in the store too.
#pragma once

#include "formats/format.h"
#include "records/recipe.h"
#include "store/store.h"

namespace qw::drive {

// The folder of a completed run that a format starts from: quantized codes, or the weights that training left. usage when it has none.
// By name only; its content is not looked at.
[[nodiscard]] Result<std::filesystem::path> exportFolder(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts,
                                                         const formats::Format& format);
// The same with every byte as the run left it: file.corrupt when it was changed since.
[[nodiscard]] Result<std::filesystem::path> exportSource(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts,
                                                         const formats::Format& format);
[[nodiscard]] Result<std::filesystem::path> exportSource(const store::Store& store, const store::RunInfo& run,
                                                         const formats::Format& format);
// How a folder that the run was written to is evaluated: tasks, data and settings of the run, so that both can be held against each
// other. usage when the run measured nothing.
struct Evaluation {
    records::RunIdentity identity; // role exported, beside the run in its study
    records::Recipe recipe;
};
[[nodiscard]] Result<Evaluation> evaluationOf(const store::RunInfo& run, const std::filesystem::path& folder);
// Appends an artifact event of kind "export" to the run's log under its lock and brings the store up to date. engine.busy while it works.
// info: the sheet as JSON.
[[nodiscard]] Status recordExport(store::Store& store, const store::RunInfo& run, const std::filesystem::path& out,
                                  const formats::Exported& exported, const std::string& info);

} // namespace qw::drive
