// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/chart_range.h"

#include <algorithm>
#include <cmath>

namespace qw::ui {
namespace {

constexpr size_t kMostSteps = 100;

// Never so narrow that the axis could not tell its ends apart, never so wide that it overflows.
bool usable(const ChartWindow& w) {
    const auto ok = [](double lower, double upper) {
        const double size = std::max(std::abs(lower), std::abs(upper));
        return std::isfinite(lower) && std::isfinite(upper) && upper - lower > size * 1e-12 && upper - lower > 1e-250 && size < 1e250;
    };
    return ok(w.xLower, w.xUpper) && ok(w.yLower, w.yUpper);
}

void scale(double& lower, double& upper, double factor, double fixed) {
    const double at = lower + (upper - lower) * fixed;
    lower = at - (at - lower) * factor;
    upper = at + (upper - at) * factor;
}

template<typename F> void inLog(double& lower, double& upper, bool log, F change) {
    if (log) {
        lower = std::log10(lower);
        upper = std::log10(upper);
    }
    change(lower, upper);
    if (log) {
        lower = std::pow(10, lower);
        upper = std::pow(10, upper);
    }
}

} // namespace

void ChartRange::fit(const ChartWindow& data) {
    if (m_following && usable(data)) m_window = data;
}

void ChartRange::reset(const ChartWindow& data) {
    m_back.clear();
    m_following = true;
    m_gesture = -1;
    fit(data);
}

void ChartRange::zoom(const ChartWindow& window, int gesture) {
    if (!usable(window) || window == m_window) return;
    if (gesture != m_gesture || m_back.empty()) m_back.push_back({m_window, m_following});
    if (m_back.size() > kMostSteps) m_back.erase(m_back.begin());
    m_gesture = gesture;
    m_following = false;
    m_window = window;
}

void ChartRange::freeze(int gesture) {
    m_back.push_back({m_window, m_following});
    m_gesture = gesture;
    m_following = false;
}

void ChartRange::back(const ChartWindow& data) {
    if (m_back.empty()) return reset(data);
    const Step step = m_back.back();
    m_back.pop_back();
    m_gesture = -1;
    m_following = step.following;
    m_window = step.window;
    fit(data);
}

ChartWindow ChartRange::scaled(ChartWindow w, double factorX, double factorY, double fx, double fy, bool log) {
    scale(w.xLower, w.xUpper, factorX, fx);
    inLog(w.yLower, w.yUpper, log, [&](double& lower, double& upper) { scale(lower, upper, factorY, fy); });
    return w;
}

ChartWindow ChartRange::moved(ChartWindow w, double dx, double dy, bool log) {
    const auto shift = [](double& lower, double& upper, double share) {
        const double by = (upper - lower) * share;
        lower += by;
        upper += by;
    };
    shift(w.xLower, w.xUpper, dx);
    inLog(w.yLower, w.yUpper, log, [&](double& lower, double& upper) { shift(lower, upper, dy); });
    return w;
}

void ChartRange::padY(ChartWindow& w, bool log) {
    if (!(w.yLower <= w.yUpper) || (log && w.yLower <= 0)) {
        w.yLower = log ? 0.1 : 0;
        w.yUpper = log ? 10 : 1;
        return;
    }
    inLog(w.yLower, w.yUpper, log, [&](double& lower, double& upper) {
        double room = (upper - lower) * 0.06;
        // A constant gets a window of its own size around it.
        if (upper - lower <= std::max(std::abs(lower), std::abs(upper)) * 1e-9) room = log || upper == 0 ? 0.5 : std::abs(upper) * 0.1;
        lower -= room;
        upper += room;
    });
}

} // namespace qw::ui
