// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/event_hub.h"

#include "base/clock.h"

#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

namespace qw::engine {

EventHub::EventHub() : m_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
EventHub::~EventHub() {
    if (m_fd >= 0) ::close(m_fd);
}

void EventHub::emit(wire::Payload payload) {
    wire::Event event;
    event.tsMs = wallMs();
    event.monoNs = monotonicNs();
    event.payload = std::move(payload);
    {
        const std::lock_guard lock(m_mutex);
        m_waiting.push_back(std::move(event));
    }
    wake();
}

std::vector<wire::Event> EventHub::take() {
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_waiting, {});
}

void EventHub::wake() {
    const uint64_t one = 1;
    static_cast<void>(!::write(m_fd, &one, sizeof one)); // full only when the reader is behind anyway
}

void EventHub::drainFd() const {
    uint64_t count = 0;
    static_cast<void>(!::read(m_fd, &count, sizeof count));
}

} // namespace qw::engine
