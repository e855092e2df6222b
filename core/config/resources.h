// SPDX-License-Identifier: GPL-3.0-or-later
// What: where recipes, the sample and the guide lie: QATW_RESOURCES, or ../share/qat-workbench beside the program's folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace qw::config {

[[nodiscard]] std::filesystem::path resourcesDir();
[[nodiscard]] std::filesystem::path presetFile(const std::string& name); // <resources>/presets/<name>.yaml, whether it is there or not
[[nodiscard]] std::vector<std::string> presetNames();                    // sorted

} // namespace qw::config
