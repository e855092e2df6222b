// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands.h"

#include <array>

namespace qw::cli {

int cmdVersion(CommandLine& line);

namespace {
constexpr std::array kCommands{
    Command{"version", "versions of the tool and its build", "qatw version --json", cmdVersion},
};
} // namespace

std::span<const Command> commands() { return kCommands; }

} // namespace qw::cli
