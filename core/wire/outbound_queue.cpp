// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/outbound_queue.h"

#include <algorithm>
#include <cmath>

namespace qw::wire {
namespace {

using Values = std::vector<std::pair<std::string, double>>;
constexpr int64_t kSecondNs = 1'000'000'000;

MergedSpan spanOf(double value) {
    if (!std::isfinite(value)) return {};
    return {value, value, value, 1};
}

void addSpan(MergedSpan& into, const MergedSpan& other) {
    if (other.n == 0) return;
    if (into.n == 0) {
        into = other;
        return;
    }
    into.min = std::min(into.min, other.min);
    into.max = std::max(into.max, other.max);
    const auto n = static_cast<double>(into.n), m = static_cast<double>(other.n);
    into.mean = (into.mean * n + other.mean * m) / (n + m);
    into.n += other.n;
}

// Both Metrics and LayerStats: values of `newer` win, those only in `older` stay.
template<class T> void mergeSeries(T& older, T&& newer) {
    const auto prepare = [](T& p) {
        if (p.merged > 0) return;
        p.merged = 1;
        p.spans.clear();
        for (const auto& [name, value] : p.values) p.spans.push_back(spanOf(value));
    };
    prepare(older);
    prepare(newer);
    older.merged += newer.merged;
    older.step = newer.step;
    for (size_t i = 0; i < newer.values.size() && i < newer.spans.size(); ++i) {
        const auto same = std::ranges::find(older.values, newer.values[i].first, &std::pair<std::string, double>::first);
        if (same == older.values.end()) {
            older.values.push_back(newer.values[i]);
            older.spans.push_back(newer.spans[i]);
            continue;
        }
        same->second = newer.values[i].second;
        addSpan(older.spans[static_cast<size_t>(same - older.values.begin())], newer.spans[i]);
    }
}

// Close enough for a limit in MiB; the text itself is made when it is sent.
size_t estimatedBytes(const Event& event) {
    size_t bytes = 160;
    if (const auto* m = std::get_if<Metrics>(&event.payload))
        bytes += 40 * m->values.size() + 60 * m->spans.size();
    else if (const auto* l = std::get_if<LayerStats>(&event.payload))
        bytes += 40 * l->values.size() + 60 * l->spans.size() + l->layer.size();
    else if (const auto* t = std::get_if<LogLine>(&event.payload))
        bytes += t->text.size();
    return bytes;
}

// Events of one stream may be merged: one stream a kind and run, and for layer statistics a layer.
std::string streamKey(const Event& event) {
    std::string key = event.run + '\n' + eventName(event.payload);
    if (const auto* layer = std::get_if<LayerStats>(&event.payload)) key += '\n' + layer->layer;
    if (const auto* progress = std::get_if<Progress>(&event.payload)) key += '\n' + progress->phase;
    return key;
}

// A rate cap counts the messages of all layers of a run together.
std::string capKey(const Event& event) { return event.run + '\n' + eventName(event.payload); }

} // namespace

void mergeInto(Event& older, Event newer) {
    older.seq = newer.seq;
    older.tsMs = newer.tsMs;
    older.monoNs = newer.monoNs;
    if (auto* m = std::get_if<Metrics>(&older.payload))
        mergeSeries(*m, std::get<Metrics>(std::move(newer.payload)));
    else if (auto* l = std::get_if<LayerStats>(&older.payload))
        mergeSeries(*l, std::get<LayerStats>(std::move(newer.payload)));
    else if (auto* t = std::get_if<LogLine>(&older.payload)) {
        auto& line = std::get<LogLine>(newer.payload);
        line.suppressed += t->suppressed + 1;
        *t = std::move(line);
    } else
        older.payload = std::move(newer.payload);
}

void OutboundQueue::push(const Response& response) {
    Item item;
    item.line = format(response) + "\n";
    item.bytes = item.line.size();
    enqueue(std::move(item));
}

bool OutboundQueue::overLogCap(const Event& event, int64_t nowNs) {
    if (!std::holds_alternative<LogLine>(event.payload)) return false;
    if (nowNs - m_logWindowStart >= kSecondNs) {
        m_logWindowStart = nowNs;
        m_logLines = 0;
    }
    if (static_cast<double>(++m_logLines) <= m_limits.logLinesPerSecond) return false;
    ++m_logSuppressed;
    return true;
}

void OutboundQueue::push(Event event, int64_t nowNs) {
    Item item;
    if (!isCoalescable(event.payload)) {
        releaseRun(event.run, nowNs); // keeps seq in order
        item.line = toJson(event) + "\n";
        item.bytes = item.line.size();
        enqueue(std::move(item));
        return;
    }
    if (overLogCap(event, nowNs)) return;
    if (auto* line = std::get_if<LogLine>(&event.payload)) line->suppressed += std::exchange(m_logSuppressed, 0);
    const double rate = std::holds_alternative<Metrics>(event.payload)      ? m_limits.metricsPerSecond
                        : std::holds_alternative<LayerStats>(event.payload) ? m_limits.layerStatsPerSecond
                                                                            : 0;
    item.key = streamKey(event);
    item.bytes = estimatedBytes(event);
    item.event = std::move(event);
    if (rate <= 0) {
        enqueue(std::move(item));
        return;
    }
    if (const auto held = m_held.find(item.key); held != m_held.end())
        mergeInto(held->second.event, std::move(item.event));
    else
        m_held.emplace(item.key, std::move(item));
    release(nowNs);
}

void OutboundQueue::release(int64_t nowNs) {
    // One message a cap: of several held layers the one that waits longest.
    std::map<std::string, std::map<std::string, Item>::iterator> oldest;
    for (auto it = m_held.begin(); it != m_held.end(); ++it) {
        const auto [found, added] = oldest.try_emplace(capKey(it->second.event), it);
        if (!added && it->second.event.seq < found->second->second.event.seq) found->second = it;
    }
    for (const auto& [cap, it] : oldest) {
        const bool metrics = std::holds_alternative<Metrics>(it->second.event.payload);
        const double rate = metrics ? m_limits.metricsPerSecond : m_limits.layerStatsPerSecond;
        const auto last = m_lastSent.find(cap);
        if (last != m_lastSent.end() && static_cast<double>(nowNs - last->second) < 1e9 / rate) continue;
        m_lastSent[cap] = nowNs;
        it->second.bytes = estimatedBytes(it->second.event);
        enqueue(std::move(it->second));
        m_held.erase(it);
    }
}

void OutboundQueue::releaseRun(const std::string& run, int64_t nowNs) {
    std::vector<Item> items;
    for (auto it = m_held.begin(); it != m_held.end();) {
        if (it->second.event.run != run) {
            ++it;
            continue;
        }
        m_lastSent[capKey(it->second.event)] = nowNs;
        items.push_back(std::move(it->second));
        it = m_held.erase(it);
    }
    std::ranges::sort(items, {}, [](const Item& item) { return item.event.seq; });
    for (Item& item : items) enqueue(std::move(item));
}

void OutboundQueue::enqueue(Item item) {
    if (m_dropped) return;
    const bool full = m_bytes + m_writing.size() + item.bytes > m_limits.bytes || m_items.size() >= m_limits.messages;
    if (full && !item.key.empty()) {
        // All waiting events of this stream become one, at the end, so that seq still rises.
        Item merged;
        std::erase_if(m_items, [&](Item& waiting) {
            if (waiting.key != item.key) return false;
            m_bytes -= waiting.bytes;
            if (merged.key.empty())
                merged = std::move(waiting);
            else
                mergeInto(merged.event, std::move(waiting.event));
            return true;
        });
        if (!merged.key.empty()) {
            mergeInto(merged.event, std::move(item.event));
            item = std::move(merged);
            item.bytes = estimatedBytes(item.event);
        }
    }
    m_bytes += item.bytes;
    m_items.push_back(std::move(item));
    if (m_bytes + m_writing.size() > m_limits.dropBytes) {
        m_dropped = true;
        m_items.clear();
        m_held.clear();
        m_bytes = 0;
    }
}

Result<bool> OutboundQueue::pump(Transport& transport) {
    if (m_dropped)
        return Error{"engine.lost",
                     "the client reads too slowly, more than 8 MiB were waiting",
                     "attach again: the event log has everything",
                     {},
                     true};
    for (;;) {
        if (m_writing.empty()) {
            if (m_items.empty()) return true;
            Item item = std::move(m_items.front());
            m_items.pop_front();
            m_bytes -= item.bytes;
            m_writing = item.key.empty() ? std::move(item.line) : toJson(item.event) + "\n";
        }
        QW_TRY(const size_t n, transport.write(m_writing));
        m_writing.erase(0, n);
        if (!m_writing.empty()) return false;
    }
}

} // namespace qw::wire
