// SPDX-License-Identifier: GPL-3.0-or-later
// What: where every thread puts its events; the control thread takes them out, logs and sends them. Putting never waits for a disk.
#pragma once

#include "base/result.h"
#include "wire/events.h"
#include "wire/sink.h"

#include <condition_variable>
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
    // From any thread but the one that takes: waits until everything put in so far is on the disk. What the log said, or engine.timeout.
    [[nodiscard]] Status sync(int64_t timeoutMs);
    [[nodiscard]] bool syncAwaited();
    void synced(const Status& status);            // everything taken so far is on the disk, or why not
    void wake();                                  // makes fd() readable without an event
    [[nodiscard]] int fd() const { return m_fd; } // eventfd
    void drainFd() const;

private:
    std::mutex m_mutex;
    std::condition_variable m_onDisk;
    std::vector<wire::Event> m_waiting;
    int64_t m_put = 0, m_taken = 0, m_synced = 0; // events since the start
    int m_awaiting = 0;
    Status m_status; // of the newest sync
    int m_fd = -1;
};

} // namespace qw::engine
