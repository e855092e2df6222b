// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/curve_columns.h"

#include <algorithm>
#include <cmath>

namespace qw::ui {
namespace {

constexpr double kFar = 1e6; // pixels: far outside of any plot, still exact in a float

// One pass over the window: columns of many points are read from the pyramid, the rest point by point.
template<typename Column, typename Point> void walk(const ChartCurve& curve, const ChartSeries& line, Values values, ChartX axis,
                                                    const PixelMap& map, double columnsPerPixel, Column column, Point point) {
    const auto [from, to] = pointsIn(curve, axis, map.xLower, map.xUpper);
    const std::vector<double>& y = line.values(values);
    const std::vector<double>& keys = axis == ChartX::Time ? line.seconds() : line.steps();
    const double keyScale = axis == ChartX::Tokens ? curve.spec.tokensPerStep : 1;
    const double columns = map.width * columnsPerPixel;
    const bool dense = static_cast<double>(to - from) > columns * 4;
    for (size_t i = from; i < to;) {
        const double px = map.px(keys[i] * keyScale);
        if (!dense || px < 0 || px >= map.width) {
            point(px, map.py(y[i]));
            ++i;
            continue;
        }
        const double edge = (std::floor(px * columnsPerPixel) + 1) / columnsPerPixel;
        const double keyEdge = (map.xLower + edge / map.width * (map.xUpper - map.xLower)) / keyScale;
        size_t step = 1, end = i + 1; // galloping: the next column is near
        while (end + step < to && keys[end + step] < keyEdge) step *= 2;
        end = static_cast<size_t>(std::lower_bound(keys.begin() + static_cast<std::ptrdiff_t>(end),
                                                   keys.begin() + static_cast<std::ptrdiff_t>(std::min(end + step, to)), keyEdge) -
                                  keys.begin());
        if (end - i < 4) {
            for (; i < end; ++i) point(map.px(keys[i] * keyScale), map.py(y[i]));
            continue;
        }
        point(px, map.py(y[i]));
        column(edge - 0.5 / columnsPerPixel, line.extent(values, i, end));
        point(map.px(keys[end - 1] * keyScale), map.py(y[end - 1]));
        i = end;
    }
}

// The straight line between two points, cut at the borders of columns.
void addSegment(std::vector<ColumnSpan>& spans, double x0, double y0, double x1, double y1) {
    const double last = static_cast<double>(spans.size());
    if (x1 < 0 || x0 >= last) return;
    const double slope = x1 > x0 ? (y1 - y0) / (x1 - x0) : 0;
    const auto first = static_cast<size_t>(std::max(0.0, std::floor(x0)));
    const auto end = static_cast<size_t>(std::clamp(std::floor(x1), 0.0, last - 1));
    for (size_t c = first; c <= end; ++c) {
        const double left = std::max(x0, static_cast<double>(c)), right = std::min(x1, static_cast<double>(c + 1));
        spans[c].add(y0 + slope * (left - x0));
        spans[c].add(right >= x1 ? y1 : y0 + slope * (right - x0));
    }
}

} // namespace

void PixelMap::prepare() {
    m_xScale = width / (xUpper - xLower);
    m_yBase = log ? std::log10(yUpper) : yUpper;
    m_yScale = height / (m_yBase - (log ? std::log10(yLower) : yLower));
}

double PixelMap::py(double y) const {
    if (!std::isfinite(y) || (log && y <= 0)) return std::numeric_limits<double>::quiet_NaN();
    return std::clamp((m_yBase - (log ? std::log10(y) : y)) * m_yScale - up, -kFar, kFar);
}

void ColumnSpan::add(double y) {
    const auto value = static_cast<float>(y);
    if (empty()) {
        top = bottom = value;
    } else {
        top = std::min(top, value);
        bottom = std::max(bottom, value);
    }
}

PointRange pointsIn(const ChartCurve& curve, ChartX axis, double xLower, double xUpper) {
    const size_t size = curve.line->size();
    size_t from = curve.lowerBound(xLower, axis), to = curve.lowerBound(xUpper, axis);
    while (to < size && curve.x(to, axis) <= xUpper) ++to;
    return {from > 0 ? from - 1 : 0, std::min(to + 1, size)};
}

void computeColumns(const ChartCurve& curve, const ChartSeries& line, Values values, ChartX axis, const PixelMap& map,
                    std::vector<ColumnSpan>& spans) {
    spans.assign(static_cast<size_t>(std::max(1.0, std::ceil(map.width))), {});
    double lastX = 0, lastY = std::numeric_limits<double>::quiet_NaN();
    const auto column = [&](double x, const stats::Extent& extent) {
        const double low = map.log ? extent.leastPositive : extent.min;
        if (extent.empty() || !(low <= extent.max)) return;
        ColumnSpan& span = spans[std::min(static_cast<size_t>(x), spans.size() - 1)];
        span.add(map.py(low));
        span.add(map.py(extent.max));
        lastY = std::numeric_limits<double>::quiet_NaN(); // what follows in this column is covered
    };
    const auto point = [&](double x, double y) {
        if (!std::isnan(y)) addSegment(spans, std::isnan(lastY) ? x : lastX, std::isnan(lastY) ? y : lastY, x, y);
        lastX = x;
        lastY = y;
    };
    walk(curve, line, values, axis, map, 1, column, point);
}

std::vector<QPolygonF> computePolylines(const ChartCurve& curve, const ChartSeries& line, Values values, ChartX axis, const PixelMap& map,
                                        int columns) {
    std::vector<QPolygonF> lines;
    bool open = false;
    const auto point = [&](double x, double y) {
        if (std::isnan(y)) {
            open = false;
            return;
        }
        if (!open) lines.emplace_back();
        open = true;
        lines.back() << QPointF(x, y);
    };
    const auto column = [&](double x, const stats::Extent& extent) {
        const double low = map.log ? extent.leastPositive : extent.min;
        if (extent.empty() || !(low <= extent.max)) return;
        point(x, map.py(low));
        point(x, map.py(extent.max));
    };
    walk(curve, line, values, axis, map, columns / map.width, column, point);
    return lines;
}

} // namespace qw::ui
