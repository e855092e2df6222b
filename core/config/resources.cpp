// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/resources.h"

#include <algorithm>
#include <cstdlib>

namespace fs = std::filesystem;

namespace qw::config {

fs::path resourcesDir() {
    if (const char* set = std::getenv("QATW_RESOURCES"); set && *set) return fs::absolute(set).lexically_normal();
    std::error_code failed;
    return fs::read_symlink("/proc/self/exe", failed).parent_path().parent_path() / "share/qat-workbench";
}

fs::path presetFile(const std::string& name) { return resourcesDir() / "presets" / (name + ".yaml"); }

std::vector<std::string> presetNames() {
    std::vector<std::string> names;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(resourcesDir() / "presets", failed))
        if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
    std::ranges::sort(names);
    return names;
}

} // namespace qw::config
