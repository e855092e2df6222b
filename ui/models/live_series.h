// SPDX-License-Identifier: GPL-3.0-or-later
// What: the curves of one run: history from the store, then every live event behind it; no gap, no point twice.
// Why here: the rules are the store's (engine.md 6): a point at or before the newest step of its curve replaces everything from that
// step on, and a new attempt cuts all curves at its first step. So replaying an event that the history already has changes nothing.
#pragma once

#include "wire/events.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace qw::ui {

// Names of curves: metric streams as in training.md 15 ("train.loss"); "task.<task>.<metric>" of evaluation results;
// "layer.<kind>:<layer>" of one layer; "layer.<kind>:worst" and "…:median" over the newest value of each layer.
struct LiveCurve {
    std::vector<int64_t> steps;
    std::vector<double> values;
};

struct LiveHistory {
    int64_t seq = 0;                         // read before the curves: events behind it are replayed
    std::map<std::string, LiveCurve> curves; // without the derived ones
};

struct LiveEdit {
    enum class Kind : uint8_t { Point, Cut };
    Kind kind = Kind::Point;
    std::string curve; // empty: all (Cut)
    int64_t step = 0;  // of the point; first one forgotten
    double value = 0;
};

class LiveSeries {
public:
    void clear() { *this = LiveSeries(); }
    void setHistory(LiveHistory history);
    // What it changed; empty: nothing new.
    std::vector<LiveEdit> apply(const wire::Event& event);

    [[nodiscard]] int64_t seq() const { return m_seq; }
    [[nodiscard]] const std::map<std::string, LiveCurve>& curves() const { return m_curves; }
    [[nodiscard]] const LiveCurve* curve(const std::string& name) const;
    [[nodiscard]] double last(const std::string& name) const; // not a number: no point
    [[nodiscard]] std::vector<std::string> layers() const;    // with statistics, by name
    // Spans of steps in which fake quantization was on, as the engine reported it; end -1: still on.
    [[nodiscard]] std::vector<std::pair<int64_t, int64_t>> fakeQuantSpans() const;
    // Milliseconds of training up to each step, from the measured time of the steps; empty when none was measured.
    [[nodiscard]] std::vector<int64_t> timesOf(const std::vector<int64_t>& steps) const;
    [[nodiscard]] double tokens() const;        // that went in so far, measured; 0: unknown
    [[nodiscard]] double tokensPerStep() const; // mean; 0: unknown

private:
    void put(const std::string& name, int64_t step, double value, std::vector<LiveEdit>& edits);
    void cut(int64_t fromStep);
    void summarise(const std::string& kind, int64_t step, std::vector<LiveEdit>& edits);
    void takeLatest(int64_t upToStep); // newest value of each layer at that step

    int64_t m_seq = 0;
    std::map<std::string, LiveCurve> m_curves;
    std::map<std::string, std::map<std::string, double>> m_latest; // kind -> layer -> newest value
};

// "layer.w_sqnr:layers.0.q" -> {"w_sqnr", "layers.0.q"}; two empty strings for another curve.
[[nodiscard]] std::pair<std::string, std::string> layerOf(const std::string& curve);
// For these the largest value is the worst one; for an SQNR the smallest.
[[nodiscard]] bool highIsBad(const std::string& kind);

} // namespace qw::ui
