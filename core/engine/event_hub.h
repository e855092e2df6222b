// SPDX-License-Identifier: GPL-3.0-or-later
// What: where every thread puts its events; the control thread takes them out, logs and sends them. Putting never waits for a disk.
#pragma once

#include "wire/events.h"
#include "wire/sink.h"

#include <mutex>
#include <vector>

namespace qw::engine {

class EventHub {
public:
    EventHub();
    ~EventHub();
    EventHub(const EventHub&) = delete;
    EventHub& operator=(const EventHub&) = delete;

    void emit(wire::Payload payload); // stamps both clocks
    [[nodiscard]] wire::Sink sink() {
        return [this](wire::Payload payload) { emit(std::move(payload)); };
    }
    [[nodiscard]] std::vector<wire::Event> take();
    void wake();                                  // makes fd() readable without an event
    [[nodiscard]] int fd() const { return m_fd; } // eventfd
    void drainFd() const;

private:
    std::mutex m_mutex;
    std::vector<wire::Event> m_waiting;
    int m_fd = -1;
};

} // namespace qw::engine
