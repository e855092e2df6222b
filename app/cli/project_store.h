// SPDX-License-Identifier: GPL-3.0-or-later
// What: opens the project that a command names, with what is new in its run folders; small text tables.
#pragma once

#include "store/store.h"

#include <string>
#include <vector>

namespace qw::cli {

[[nodiscard]] std::filesystem::path projectFolder(const std::string& option); // --project, or the default
// Opened and synced; read-only (with a note) where it cannot be written. Notes go to standard error. file.not_found without a project.
[[nodiscard]] Result<store::Store> openProject(const std::string& option);

// Columns aligned, the first line is the heading; columns of numbers (by heading) to the right.
[[nodiscard]] std::string textTable(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right);
[[nodiscard]] std::string timeText(int64_t ms); // local time, "2026-01-31 17:05"; "-" for 0
[[nodiscard]] std::string bytesText(int64_t bytes);
[[nodiscard]] std::string numberText(double value); // 6 significant digits

} // namespace qw::cli
