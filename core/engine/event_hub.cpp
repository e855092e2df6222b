// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/event_hub.h"

#include "base/clock.h"

#include <chrono>
#include <cstdint>
#include <string>
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
        ++m_put;
    }
    wake();
}

std::vector<wire::Event> EventHub::take() {
    const std::lock_guard lock(m_mutex);
    m_taken = m_put;
    return std::exchange(m_waiting, {});
}

Status EventHub::sync(int64_t timeoutMs) {
    std::unique_lock lock(m_mutex);
    const int64_t target = m_put;
    ++m_awaiting;
    wake();
    const bool there = m_onDisk.wait_for(lock, std::chrono::milliseconds(timeoutMs), [&] { return m_synced >= target; });
    --m_awaiting;
    if (there) return m_status;
    return Error{"engine.timeout", "the event log was not written for " + std::to_string(timeoutMs / 1000) + " s", {}, {}, true};
}

bool EventHub::syncAwaited() {
    const std::lock_guard lock(m_mutex);
    return m_awaiting > 0;
}

void EventHub::synced(const Status& status) {
    {
        const std::lock_guard lock(m_mutex);
        m_synced = m_taken;
        m_status = status;
    }
    m_onDisk.notify_all();
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
