// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/chart_series.h"

#include <algorithm>
#include <cmath>

namespace qw::ui {

void ChartSeries::clear() {
    const double weight = m_ema.weight();
    *this = ChartSeries();
    m_ema = stats::Ema(weight);
}

void ChartSeries::append(std::span<const int64_t> steps, std::span<const double> values, std::span<const int64_t> tsMs, int64_t startMs) {
    const size_t count = std::min(steps.size(), values.size());
    if (count == 0) return;
    if (!empty() && static_cast<double>(steps.front()) <= m_steps.back()) truncate(static_cast<double>(steps.front()));
    const bool timed = tsMs.size() >= count && m_seconds.size() == m_steps.size();
    if (!timed) m_seconds.clear();
    const size_t from = m_steps.size();
    for (size_t i = 0; i < count; ++i) {
        const double step = static_cast<double>(steps[i]);
        if (!m_steps.empty() && step < m_steps.back()) continue; // not in order: no line can show it
        m_steps.push_back(step);
        m_raw.push_back(values[i]);
        if (!timed) continue;
        // A clock that was set back does not turn the line around.
        const double seconds = static_cast<double>(tsMs[i] - startMs) / 1000;
        m_seconds.push_back(m_seconds.empty() ? seconds : std::max(seconds, m_seconds.back()));
    }
    takeNew(from);
}

void ChartSeries::assign(std::vector<double> steps, std::vector<double> seconds, std::vector<double> values) {
    clear();
    m_steps = std::move(steps);
    m_seconds = std::move(seconds);
    m_raw = std::move(values);
    takeNew(0);
}

void ChartSeries::takeNew(size_t from) {
    for (size_t i = from; i < m_raw.size(); ++i) {
        const double value = m_raw[i];
        if (!std::isfinite(value)) {
            m_nonFinite.push_back(i);
            if (std::isnan(value)) ++m_nan;
        } else if (value <= 0) {
            ++m_notPositive;
        }
    }
    m_rawPyramid.grow(m_raw);
    if (!isSmoothed()) return;
    m_smooth.reserve(m_raw.capacity());
    for (size_t i = from; i < m_raw.size(); ++i) m_smooth.push_back(m_ema.next(m_raw[i]));
    m_smoothPyramid.grow(m_smooth);
}

void ChartSeries::truncate(double fromStep) {
    const auto at = std::lower_bound(m_steps.begin(), m_steps.end(), fromStep);
    if (at == m_steps.end()) return;
    const size_t keep = static_cast<size_t>(at - m_steps.begin());
    for (size_t i = keep; i < m_raw.size(); ++i)
        if (std::isfinite(m_raw[i]) && m_raw[i] <= 0) --m_notPositive;
    while (!m_nonFinite.empty() && m_nonFinite.back() >= keep) {
        if (std::isnan(m_raw[m_nonFinite.back()])) --m_nan;
        m_nonFinite.pop_back();
    }
    m_steps.resize(keep);
    m_raw.resize(keep);
    if (m_seconds.size() > keep) m_seconds.resize(keep);
    m_rawPyramid.truncate(keep);
    const double weight = m_ema.weight(); // the average of the points that stay is needed again
    m_ema = stats::Ema();
    setSmoothing(weight);
}

void ChartSeries::setSmoothing(double weight) {
    if (weight == m_ema.weight()) return;
    m_ema = stats::Ema(weight);
    m_smooth.clear();
    m_smoothPyramid.clear();
    if (weight <= 0) return;
    m_smooth.reserve(m_raw.capacity());
    for (const double value : m_raw) m_smooth.push_back(m_ema.next(value));
    m_smoothPyramid.grow(m_smooth);
}

stats::Extent ChartSeries::extent(Values which, size_t from, size_t to) const {
    const bool smooth = which == Values::Smoothed && isSmoothed();
    return smooth ? m_smoothPyramid.range(m_smooth, from, to) : m_rawPyramid.range(m_raw, from, to);
}

bool ChartSeries::hasAxis(ChartX axis, double tokensPerStep) const {
    if (axis == ChartX::Tokens) return tokensPerStep > 0;
    return axis == ChartX::Step || m_seconds.size() == m_steps.size();
}

double ChartSeries::x(size_t i, ChartX axis, double tokensPerStep) const {
    if (axis == ChartX::Time) return m_seconds[i];
    return axis == ChartX::Tokens ? m_steps[i] * tokensPerStep : m_steps[i];
}

size_t ChartSeries::lowerBound(double x, ChartX axis, double tokensPerStep) const {
    const std::vector<double>& keys = axis == ChartX::Time ? m_seconds : m_steps;
    const double key = axis == ChartX::Tokens ? x / tokensPerStep : x;
    return static_cast<size_t>(std::lower_bound(keys.begin(), keys.end(), key) - keys.begin());
}

size_t ChartSeries::nearest(double x, ChartX axis, double tokensPerStep) const {
    const size_t at = lowerBound(x, axis, tokensPerStep);
    if (at == 0) return 0;
    if (at == size()) return size() - 1;
    return this->x(at, axis, tokensPerStep) - x < x - this->x(at - 1, axis, tokensPerStep) ? at : at - 1;
}

} // namespace qw::ui
