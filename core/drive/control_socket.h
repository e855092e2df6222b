// SPDX-License-Identifier: GPL-3.0-or-later
// What: study.sock of a supervisor: pause, resume, stop and ping in the framing of engine.md 2, polled by the supervisor's own loop.
#pragma once

#include "base/result.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace qw::drive {

class ControlSocket {
public:
    // handle: operation and its parameters to the response's JSON.
    using Handler = std::function<Result<std::string>(const std::string& op, const std::string& params)>;
    [[nodiscard]] static Result<ControlSocket> listen(const std::filesystem::path& socket);
    ControlSocket(ControlSocket&&) noexcept;
    ~ControlSocket();
    void poll(const Handler& handle); // never waits

private:
    struct State;
    explicit ControlSocket(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace qw::drive
