// SPDX-License-Identifier: GPL-3.0-or-later
// What: what waits to be sent to one client, with the backpressure rules of engine.md 2.4: coalescable events are merged when the
// queue is full or a stream is faster than its cap, lossless ones wait, past 8 MiB the client is dropped.
// Limits: one thread. A capped stream may come later than events with a higher seq; lossless ones are always in order.
#pragma once

#include "wire/protocol.h"
#include "wire/transport.h"

#include <cstdint>
#include <deque>
#include <map>
#include <string>

namespace qw::wire {

struct QueueLimits {
    size_t bytes = 1 << 20, messages = 512;
    size_t dropBytes = 8 << 20;
    double metricsPerSecond = 30, layerStatsPerSecond = 5, logLinesPerSecond = 50;
};

class OutboundQueue {
public:
    explicit OutboundQueue(QueueLimits limits = {}) : m_limits(limits) {}

    void push(const Response& response);
    void push(Event event, int64_t nowNs); // nowNs: monotonic
    void release(int64_t nowNs);           // lets go of held events whose time has come; call now and then
    // Writes until the transport takes no more; true when nothing is left. engine.lost when it is gone or was dropped.
    [[nodiscard]] Result<bool> pump(Transport& transport);
    [[nodiscard]] bool empty() const { return m_items.empty() && m_held.empty() && m_writing.empty(); }
    [[nodiscard]] bool dropped() const { return m_dropped; }
    [[nodiscard]] size_t queuedBytes() const { return m_bytes + m_writing.size(); }
    [[nodiscard]] size_t queuedMessages() const { return m_items.size(); }

private:
    struct Item {
        std::string key;  // run + stream when it may be merged
        Event event;      // when key is not empty
        std::string line; // else
        size_t bytes = 0;
    };
    void enqueue(Item item);
    void releaseRun(const std::string& run, int64_t nowNs);
    bool overLogCap(const Event& event, int64_t nowNs);

    QueueLimits m_limits;
    std::deque<Item> m_items;
    std::map<std::string, Item> m_held;        // newest of a capped stream, merged
    std::map<std::string, int64_t> m_lastSent; // per stream, monotonic ns
    std::string m_writing;                     // a line that is partly sent
    size_t m_bytes = 0;
    int64_t m_logWindowStart = 0, m_logLines = 0, m_logSuppressed = 0;
    bool m_dropped = false;
};

// Merges `newer` into `older` of the same kind: newest values, min, max and mean over both.
void mergeInto(Event& older, Event newer);

} // namespace qw::wire
