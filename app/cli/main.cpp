// SPDX-License-Identifier: GPL-3.0-or-later
// What: qatw, the headless front end: finds the command, hands it its arguments.
#include "commands.h"

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace {

int usage(std::ostream& out, int code) {
    out << "qatw: which quantization scheme do I ship?\n\nUsage: qatw COMMAND [OPTIONS]     qatw COMMAND --help\n\n";
    for (const auto& command : qw::cli::commands()) {
        std::string name = command.name;
        name.resize(16, ' ');
        out << "  " << name << command.summary << '\n';
    }
    return code;
}

} // namespace

int main(int argc, char** argv) {
    std::ios::sync_with_stdio(false);
    if (argc < 2) return usage(std::cerr, 2);
    const std::string name = argv[1];
    if (name == "--help" || name == "-h" || name == "help") return usage(std::cout, 0);
    if (name == "--version") argv[1] = const_cast<char*>("version");
    const auto all = qw::cli::commands();
    const auto found = std::ranges::find_if(all, [&](const auto& command) { return std::string_view(argv[1]) == command.name; });
    if (found == all.end()) {
        std::cerr << "error: qatw has no command '" << name << "'\n\n";
        return usage(std::cerr, 2);
    }
    qw::cli::CommandLine line(found->name, found->summary, found->example, {argv + 2, argv + argc});
    return found->run(line);
}
