// SPDX-License-Identifier: GPL-3.0-or-later
// What: paints vertical stretches with soft ends, column by column.
// Why here: QPainter's strokes of long zigzag lines cost hundreds of milliseconds a frame; contiguous columns cost a few.
#pragma once

#include "charts/curve_columns.h"

#include <QColor>
#include <QImage>
#include <vector>

namespace qw::ui {

class ColumnCanvas {
public:
    void begin(int width, int height); // transparent; device pixels

    // A line of this width. dashOn/dashOff: columns drawn and left out; dashOff 0: solid.
    void stroke(const std::vector<ColumnSpan>& spans, const QColor& colour, double width, int dashOn = 1, int dashOff = 0);
    void fill(const std::vector<ColumnSpan>& spans, const QColor& colour);
    [[nodiscard]] QImage image() const;

private:
    void span(size_t column, double top, double bottom, QRgb colour);
    size_t m_width = 0, m_height = 0;
    std::vector<QRgb> m_pixels; // premultiplied, one column after the other
};

} // namespace qw::ui
