// SPDX-License-Identifier: GPL-3.0-or-later
// What: declares and parses one command's options (CLI11 behind it, so that commands compile fast).
#pragma once

#include "base/error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qw::cli {

class CommandLine {
public:
    CommandLine(std::string name, std::string summary, std::string example, std::vector<std::string> arguments);
    ~CommandLine();
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;

    // The variables must live until the command ends.
    void positional(const std::string& name, std::string& into, const std::string& help, bool required = true);
    void positionals(const std::string& name, std::vector<std::string>& into, const std::string& help, bool required = false);
    void option(const std::string& flag, std::string& into, const std::string& help, bool required = false);
    void option(const std::string& flag, std::vector<std::string>& into, const std::string& help); // may be repeated
    void option(const std::string& flag, int64_t& into, const std::string& help);
    void option(const std::string& flag, double& into, const std::string& help);
    void flag(const std::string& flag, bool& into, const std::string& help);

    // Nothing: go on. A value: help or a usage error was printed, return it.
    [[nodiscard]] std::optional<int> parse();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

// Prints "error: message" and the hint on stderr, or {"error":{…}} on stdout with json; returns the exit code of its code.
int fail(const Error& error, bool json);

} // namespace qw::cli
