// SPDX-License-Identifier: GPL-3.0-or-later
// What: our end of a connection to an engine (or a supervisor): hello, requests with their responses, events as they come.
#pragma once

#include "base/result.h"
#include "wire/protocol.h"
#include "wire/transport.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace qw::drive {

class EngineClient {
public:
    // Reads hello, answers it, checks both. proto.version for another build; engine.timeout when nothing comes.
    [[nodiscard]] static Result<EngineClient> greet(std::unique_ptr<wire::Transport> transport, int timeoutMs);
    [[nodiscard]] const wire::Hello& hello() const { return m_hello; }

    // The response's JSON; events that come meanwhile are kept for next(). engine.lost, engine.timeout or the engine's own error.
    [[nodiscard]] Result<std::string> request(const std::string& op, const std::string& params, int timeoutMs);
    // The next event; nothing after timeoutMs. engine.lost when the connection has ended and all events were handed out.
    [[nodiscard]] Result<std::optional<wire::Event>> next(int timeoutMs);

private:
    explicit EngineClient(std::unique_ptr<wire::Transport> transport) : m_transport(std::move(transport)) {}
    [[nodiscard]] Result<std::optional<wire::Message>> message(int timeoutMs);
    [[nodiscard]] Status send(const wire::Request& request, int timeoutMs);

    std::unique_ptr<wire::Transport> m_transport;
    wire::MessageReader m_reader;
    std::deque<wire::Event> m_events;
    wire::Hello m_hello;
    int64_t m_nextId = 1;
};

} // namespace qw::drive
