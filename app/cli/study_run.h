// SPDX-License-Identifier: GPL-3.0-or-later
// What: a study driven from the command line: in the foreground, or watched while another process drives it; its table at the end.
#pragma once

#include "drive/supervisor.h"

#include <string>

namespace qw::cli {

// Runs all members with progress on standard error, then the exports. The study's lock is held by the caller.
[[nodiscard]] Result<drive::StudyReport> superviseStudy(store::Store& store, study::Study& study);
// Progress of a study that another process drives, until it lets go of the lock; false: left by Ctrl+C.
[[nodiscard]] Result<bool> followStudy(store::Store& store, const std::filesystem::path& studyDir);
// Table, verdict and exports on standard output, or one JSON object; writes the exports when the study has finished.
[[nodiscard]] Status printStudy(store::Store& store, const study::Study& study, const drive::StudyReport* report, bool json);

} // namespace qw::cli
