// SPDX-License-Identifier: GPL-3.0-or-later
// What: a line of any length as one stretch of y per pixel column, from its pyramid: no spike is lost, at any width.
// Limits: points that are no finite numbers, or not positive on a logarithmic axis, are left out and never joined across.
#pragma once

#include "charts/chart_data.h"

#include <QPolygonF>
#include <vector>

namespace qw::ui {

// From data to pixels of the plot's inside; y grows downwards. Not a number: not on the axis.
struct PixelMap {
    double xLower = 0, xUpper = 1, yLower = 0, yUpper = 1; // yLower > 0 when log
    double width = 1, height = 1;
    double up = 0; // the axis' own pixels lie this much higher
    bool log = false;

    void prepare(); // after the fields are set
    [[nodiscard]] double px(double x) const { return (x - xLower) * m_xScale; }
    [[nodiscard]] double py(double y) const;

private:
    double m_xScale = 1, m_yScale = 1, m_yBase = 0;
};

struct ColumnSpan {
    float top = 1, bottom = 0; // pixels; top > bottom: nothing in this column
    [[nodiscard]] bool empty() const { return top > bottom; }
    void add(double y);
};

// The first and one behind the last point that the window needs: those inside and one neighbour on each side.
struct PointRange {
    size_t from = 0, to = 0;
};
[[nodiscard]] PointRange pointsIn(const ChartCurve& curve, ChartX axis, double xLower, double xUpper);

// spans: one per column of the map's width, rounded up. line: the curve's own line or an edge of its band.
void computeColumns(const ChartCurve& curve, const ChartSeries& line, Values values, ChartX axis, const PixelMap& map,
                    std::vector<ColumnSpan>& spans);

// The same as polylines, for vector output and for lines of few points; at most four points a column, `columns` across the window.
[[nodiscard]] std::vector<QPolygonF> computePolylines(const ChartCurve& curve, const ChartSeries& line, Values values, ChartX axis,
                                                      const PixelMap& map, int columns);

} // namespace qw::ui
