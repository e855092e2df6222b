// SPDX-License-Identifier: GPL-3.0-or-later
// What: one connected client of the engine: its bytes, what waits for it, and the part of the log it still has to get.
#pragma once

#include "engine/server.h"
#include "wire/protocol.h"
#include "wire/transport.h"

#include <deque>

namespace qw::engine {

struct Server::Client {
    std::unique_ptr<wire::Transport> transport;
    wire::MessageReader reader;
    wire::OutboundQueue live;
    wire::OutboundQueue past{wire::QueueLimits{1u << 30, 1u << 30, 1u << 30, 0, 0, 1e12}}; // fed bit by bit, never merged or held
    std::optional<wire::EventLogReader> gap; // records that are still to be sent from the log
    int64_t gapAfter = 0;                    // seq that the client has already
    bool greeted = false, attached = false, adopted = false, gone = false;
    std::deque<wire::Response> answered; // the newest, so that a repeated id gets its answer again

    void respond(wire::Response response) {
        live.push(response);
        answered.push_back(std::move(response));
        if (answered.size() > 64) answered.pop_front();
    }
    [[nodiscard]] bool idle() const { return gone || (live.empty() && past.empty() && !gap); }
    [[nodiscard]] bool hasBytes() const { return live.queuedBytes() > 0 || !past.empty() || gap; }
    // Sends what goes without waiting. refill puts the log's next records into past; false: the log has no more.
    void pump(const std::function<bool(Client&)>& refill);
};

} // namespace qw::engine
