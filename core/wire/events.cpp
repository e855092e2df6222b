// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/events.h"

#include <array>

namespace qw::wire {
namespace {

// Index of the row in eventTable() for each alternative of Payload; Notice takes two rows.
constexpr std::array<size_t, std::variant_size_v<Payload>> kRowOf{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16};

} // namespace

const std::vector<EventRow>& eventTable() {
    static const std::vector<EventRow> table{
        {"hello", false, false, "first line of an engine: protocol range, versions, devices, features"},
        {"heartbeat", false, true, "every second: phase, step, time of the last progress, memory"},
        {"state", true, false, "the run's lifecycle state, its phase and why"},
        {"attempt", true, false, "one engine start; later points with step >= from_step replace earlier ones"},
        {"model", true, false, "what was loaded, its size, and what the scheme does to each layer"},
        {"progress", true, true, "how far a phase is"},
        {"metrics", true, true, "all metrics of one step"},
        {"layer_stats", true, true, "statistics of one layer at one step"},
        {"checkpoint", true, false, "a checkpoint is complete on disk"},
        {"eval.result", true, false, "one task's result on one variant of the model"},
        {"artifact", true, false, "a folder was written: model (latent weights) or native (codes)"},
        {"warning", true, false, "something to know; the run goes on"},
        {"error", true, false, "why the run failed, and what to do"},
        {"log", true, true, "one line of text; warnings and errors are never merged"},
        {"bye", true, false, "the engine ends, with its exit code"},
        {"settings", true, false, "cadences were changed while the run trains, and behind which step they hold"},
        {"", true, false, "an event of a newer engine, kept as it came"},
    };
    return table;
}

const EventRow& eventRow(const Payload& payload) {
    size_t row = kRowOf[payload.index()];
    if (const auto* notice = std::get_if<Notice>(&payload); notice && notice->isError) ++row;
    return eventTable()[row];
}

bool isCoalescable(const Payload& payload) {
    if (const auto* line = std::get_if<LogLine>(&payload)) return line->level < 2;
    return eventRow(payload).coalescable;
}

std::string eventName(const Payload& payload) {
    if (const auto* raw = std::get_if<RawEvent>(&payload)) return raw->name;
    return eventRow(payload).name;
}

} // namespace qw::wire
