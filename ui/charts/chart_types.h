// SPDX-License-Identifier: GPL-3.0-or-later
// What: what a page tells a chart: lines, bands and flags on x.
#pragma once

#include <QString>
#include <cstdint>
#include <limits>

namespace qw::ui {

enum class ChartX : uint8_t { Step, Tokens, Time };            // Time: since the start of each run
enum class SeedBands : uint8_t { Off, MinMax, StandardError }; // runs of one group as a mean line with a band
enum class ReadoutOrder : uint8_t { Legend, Name, Lowest, Highest };

struct SeriesSpec {
    QString id;              // unique in the chart: the run's uid, or "uid/stream" when a chart shows several streams of a run
    QString label;           // in the legend
    int colour = 0;          // the run's number: Theme::series, dash and marker follow from it; the same in every view
    int dash = -1;           // another stream of the same run: 0 solid, 1 dashed, 2 dotted, 3 dash-dot; -1: from the number
    bool background = false; // grey, behind the others
    bool points = false;     // few points (evaluations): always drawn with markers
    bool smooth = true;      // false: never smoothed (learning rate)
    QString group;           // runs of one scheme that differ in the seed share a group; empty: none
    QString groupLabel;
    double tokensPerStep = 0; // 0: not known, the line is missing on the axis of tokens
    int64_t startMs = 0;      // start of the run; 0: its first point
};

struct ChartBand { // "fake quant on"
    QString id, label;
    double fromStep = 0, toStep = std::numeric_limits<double>::infinity(); // infinite: goes on
};

struct ChartFlag { // checkpoint saved, evaluation, resume, loss spike
    double step = 0;
    QString icon; // of resources/icons
    QString text; // shown when the pointer rests on it
};

struct ReadoutRow { // what the crosshair reads of one visible line
    QString id, label;
    double step = 0; // of the point read
    double raw = 0, smoothed = 0;
};

} // namespace qw::ui
