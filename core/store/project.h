// SPDX-License-Identifier: GPL-3.0-or-later
// What: where a project lies when nobody says so.
#pragma once

#include <filesystem>

namespace qw::store {

[[nodiscard]] std::filesystem::path defaultProject(); // $XDG_DATA_HOME/qat-workbench/default, else below ~/.local/share

} // namespace qw::store
