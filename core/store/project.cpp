// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/project.h"

#include <cstdlib>

namespace qw::store {

std::filesystem::path defaultProject() {
    const char* data = std::getenv("XDG_DATA_HOME");
    const char* home = std::getenv("HOME");
    // The base directory specification ignores a relative XDG_DATA_HOME.
    const bool given = data && std::filesystem::path(data).is_absolute();
    const std::filesystem::path base = given ? std::filesystem::path(data) : std::filesystem::path(home ? home : ".") / ".local/share";
    return base / "qat-workbench" / "default";
}

} // namespace qw::store
