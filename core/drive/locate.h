// SPDX-License-Identifier: GPL-3.0-or-later
// What: where the parts of an installation lie (recipe.md 4): engine and tool beside the program.
#pragma once

#include "base/result.h"

#include <filesystem>

namespace qw::drive {

[[nodiscard]] std::filesystem::path programFolder();
// QATW_ENGINE, the program's own folder, ../lib/qat-workbench. file.not_found names the places that were tried.
[[nodiscard]] Result<std::filesystem::path> findEngine();
[[nodiscard]] Result<std::filesystem::path> findTool(); // QATW_TOOL, else qatw beside the program

} // namespace qw::drive
