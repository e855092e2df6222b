// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {

struct CommandLine::State {
    CLI::App app;
    std::vector<std::string> arguments;
};

CommandLine::CommandLine(std::string name, std::string summary, std::string example, std::vector<std::string> arguments)
    : m_state(std::make_unique<State>()) {
    m_state->app.name("qatw " + name);
    m_state->app.description(std::move(summary));
    m_state->app.footer("Example:\n  " + example);
    m_state->arguments = std::move(arguments);
}
CommandLine::~CommandLine() = default;

void CommandLine::positional(const std::string& name, std::string& into, const std::string& help, bool required) {
    m_state->app.add_option(name, into, help)->required(required)->type_name("");
}
void CommandLine::positionals(const std::string& name, std::vector<std::string>& into, const std::string& help, bool required) {
    m_state->app.add_option(name, into, help)->required(required)->type_name("");
}
void CommandLine::option(const std::string& flag, std::string& into, const std::string& help, bool required) {
    m_state->app.add_option(flag, into, help)->required(required)->capture_default_str();
}
void CommandLine::option(const std::string& flag, std::vector<std::string>& into, const std::string& help) {
    m_state->app.add_option(flag, into, help)->allow_extra_args(false);
}
void CommandLine::option(const std::string& flag, int64_t& into, const std::string& help) {
    m_state->app.add_option(flag, into, help)->capture_default_str();
}
void CommandLine::option(const std::string& flag, double& into, const std::string& help) {
    m_state->app.add_option(flag, into, help)->capture_default_str();
}
void CommandLine::flag(const std::string& flag, bool& into, const std::string& help) { m_state->app.add_flag(flag, into, help); }

std::optional<int> CommandLine::parse() {
    try {
        std::vector<std::string> reversed(m_state->arguments.rbegin(), m_state->arguments.rend());
        m_state->app.parse(std::move(reversed));
        return std::nullopt;
    } catch (const CLI::CallForHelp&) {
        std::cout << m_state->app.help();
        return 0;
    } catch (const CLI::ParseError& error) {
        std::cerr << "error: " << error.what() << "\nSee '" << m_state->app.get_name() << " --help'.\n";
        return 2;
    }
}

int fail(const Error& error, bool json) {
    if (json) {
        nlohmann::json body{{"code", error.code}, {"msg", error.message}, {"hint", error.hint}, {"retry", error.retry}};
        if (!error.detail.empty()) body["detail"] = nlohmann::json::parse(error.detail, nullptr, false);
        std::cout << nlohmann::json{{"error", body}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    } else {
        std::cerr << "error: " << error.message << "  [" << error.code << "]\n";
        if (!error.hint.empty()) std::cerr << "  next: " << error.hint << '\n';
    }
    return exitCode(error.code);
}

} // namespace qw::cli
