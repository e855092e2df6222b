// SPDX-License-Identifier: GPL-3.0-or-later
// What: the one table of qatw's commands. A command lives in cmd_<name>.cpp and gets its command line ready to declare options on.
#pragma once

#include "command_line.h"

#include <span>

namespace qw::cli {

struct Command {
    const char* name;
    const char* summary;
    const char* example;
    int (*run)(CommandLine& line); // returns the exit code
};
[[nodiscard]] std::span<const Command> commands();

} // namespace qw::cli
