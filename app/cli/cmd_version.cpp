// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/build_info.h"
#include "command_line.h"

#include <iostream>

namespace qw::cli {

int cmdVersion(CommandLine& line) {
    bool json = false;
    line.flag("--json", json, "one JSON object");
    if (const auto done = line.parse()) return *done;
    if (json) std::cout << R"({"version":")" << version() << R"(","build_id":")" << buildId() << "\"}\n";
    else std::cout << "qatw " << version() << " (build " << buildId() << ")\n";
    return 0;
}

} // namespace qw::cli
