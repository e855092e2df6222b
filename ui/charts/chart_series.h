// SPDX-License-Identifier: GPL-3.0-or-later
// What: the points of one line, raw and smoothed, with a pyramid over each, kept up as points arrive.
// Limits: x never falls; a point at or before the last step cuts the line there first.
#pragma once

#include "charts/chart_types.h"
#include "stats/ema.h"
#include "stats/pyramid.h"

#include <span>
#include <vector>

namespace qw::ui {

enum class Values : uint8_t { Raw, Smoothed };

class ChartSeries {
public:
    void clear();
    void append(std::span<const int64_t> steps, std::span<const double> values, std::span<const int64_t> tsMs, int64_t startMs);
    void assign(std::vector<double> steps, std::vector<double> seconds, std::vector<double> values); // derived lines
    void truncate(double fromStep);
    void setSmoothing(double weight); // 0: smoothed is raw

    [[nodiscard]] size_t size() const { return m_steps.size(); }
    [[nodiscard]] bool empty() const { return m_steps.empty(); }
    [[nodiscard]] const std::vector<double>& steps() const { return m_steps; }
    [[nodiscard]] const std::vector<double>& seconds() const { return m_seconds; }
    [[nodiscard]] const std::vector<double>& values(Values which) const {
        return which == Values::Smoothed && m_ema.weight() > 0 ? m_smooth : m_raw;
    }
    [[nodiscard]] stats::Extent extent(Values which, size_t from, size_t to) const;
    [[nodiscard]] bool isSmoothed() const { return m_ema.weight() > 0; }

    // x on an axis; the axis of tokens counts tokensPerStep a step.
    [[nodiscard]] bool hasAxis(ChartX axis, double tokensPerStep) const;
    [[nodiscard]] double x(size_t i, ChartX axis, double tokensPerStep) const;
    // First point at or behind x.
    [[nodiscard]] size_t lowerBound(double x, ChartX axis, double tokensPerStep) const;
    [[nodiscard]] size_t nearest(double x, ChartX axis, double tokensPerStep) const; // not of an empty line

    [[nodiscard]] const std::vector<size_t>& nonFinite() const { return m_nonFinite; } // indices, growing
    [[nodiscard]] size_t nanCount() const { return m_nan; }
    [[nodiscard]] size_t infCount() const { return m_nonFinite.size() - m_nan; }
    [[nodiscard]] size_t notPositive() const { return m_notPositive; } // finite ones: hidden on a logarithmic axis

private:
    void takeNew(size_t from);
    std::vector<double> m_steps, m_seconds, m_raw, m_smooth; // seconds: empty when not known
    stats::Pyramid m_rawPyramid, m_smoothPyramid;
    stats::Ema m_ema;
    std::vector<size_t> m_nonFinite;
    size_t m_nan = 0, m_notPositive = 0;
};

} // namespace qw::ui
