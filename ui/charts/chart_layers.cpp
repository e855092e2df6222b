// SPDX-License-Identifier: GPL-3.0-or-later
// What: the lines, on a canvas of columns where points are many, as strokes where they are few or the device is a page.
#include "charts/chart_layers.h"

#include "charts/chart_plot.h"

#include <cmath>

namespace qw::ui {
namespace {

constexpr size_t kFewPoints = 800;   // of all lines in the window: strokes look better and cost little
constexpr double kMarkerEvery = 150; // pixels between the markers of a long line
constexpr double kFaint = 0.3;       // the raw line behind the smoothed one
constexpr double kDimmed = 0.3;      // the others while one is lifted

} // namespace

LinesLayer::LinesLayer(ChartPlot& plot) : QCPLayerable(&plot, QStringLiteral("main")), m_plot(plot) {}

QRect LinesLayer::clipRect() const { return m_plot.axisRect()->rect(); }
void LinesLayer::applyDefaultAntialiasingHint(QCPPainter* painter) const { painter->setAntialiasing(true); }

void LinesLayer::draw(QCPPainter* painter) {
    m_vector = painter->paintEngine()->type() != QPaintEngine::Raster;
    m_ratio = painter->device()->devicePixelRatioF();
    m_map = m_plot.pixelMap(1);
    m_deviceMap = m_plot.pixelMap(m_ratio);
    m_canvasUsed = false;
    const ChartData& data = m_plot.data();
    const ChartPicture& picture = m_plot.picture();
    const QColor ground = m_plot.theme()[Token::Base];
    std::vector<const ChartCurve*> order; // background first, the lifted one last
    for (const bool background : {true, false})
        for (const ChartCurve& curve : data.curves())
            if (ChartData::drawn(curve, data.xAxis()) && curve.spec.background == background && curve.spec.id != picture.lifted)
                order.push_back(&curve);
    const ChartCurve* lifted = picture.lifted.isEmpty() ? nullptr : data.curve(picture.lifted);
    if (lifted && !ChartData::drawn(*lifted, data.xAxis())) lifted = nullptr;
    const double dim = lifted ? kDimmed : 1;
    size_t points = 0;
    for (const ChartCurve* curve : order) {
        const auto [from, to] = pointsIn(*curve, data.xAxis(), m_map.xLower, m_map.xUpper);
        points += (to - from) * (curve->line->isSmoothed() ? 2 : 1);
    }
    m_strokes = m_vector || points <= kFewPoints;
    const auto colourOf = [&](const ChartCurve& curve) { return lineStyle(curve.spec, m_plot.theme()).colour; };
    const auto drawAll = [&](const std::vector<const ChartCurve*>& curves, double share) {
        for (const ChartCurve* curve : curves)
            if (curve->low) drawBand(*painter, *curve, mixed(colourOf(*curve), ground, share));
        for (const ChartCurve* curve : curves)
            if (curve->line->isSmoothed() && picture.rawBehind && !curve->low)
                drawLine(*painter, *curve, Values::Raw, mixed(colourOf(*curve), ground, kFaint * share), 1);
        for (const ChartCurve* curve : curves)
            drawLine(*painter, *curve, Values::Smoothed, mixed(colourOf(*curve), ground, share),
                     picture.lineWidth * (curve == lifted ? 1.7 : 1));
        flush(*painter);
    };
    drawAll(order, dim);
    if (lifted) drawAll({lifted}, 1);
    for (const ChartCurve* curve : order)
        if (!lifted) drawMarkers(*painter, *curve);
    if (lifted) drawMarkers(*painter, *lifted);
}

void LinesLayer::flush(QCPPainter& painter) {
    if (!m_canvasUsed) return;
    QImage image = m_canvas.image();
    image.setDevicePixelRatio(m_ratio);
    painter.drawImage(QPointF(m_plot.axisRect()->rect().topLeft()), image);
    m_canvasUsed = false;
}

void LinesLayer::drawLine(QCPPainter& painter, const ChartCurve& curve, Values values, const QColor& colour, double width) {
    LineStyle style = lineStyle(curve.spec, m_plot.theme());
    style.colour = colour;
    const ChartX axis = m_plot.data().xAxis();
    if (!m_strokes) {
        if (!m_canvasUsed) m_canvas.begin(static_cast<int>(std::ceil(m_deviceMap.width)), static_cast<int>(std::ceil(m_deviceMap.height)));
        m_canvasUsed = true;
        computeColumns(curve, *curve.line, values, axis, m_deviceMap, m_spans);
        const auto [on, off] = style.dashPixels();
        m_canvas.stroke(m_spans, colour, width * m_ratio, static_cast<int>(on * m_ratio), static_cast<int>(off * m_ratio));
        return;
    }
    flush(painter);
    painter.save();
    painter.translate(m_plot.axisRect()->rect().topLeft());
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(style.pen(width));
    const int columns = static_cast<int>(m_map.width) * (m_vector ? 2 : 1);
    for (const QPolygonF& line : computePolylines(curve, *curve.line, values, axis, m_map, columns))
        if (line.size() > 1) painter.drawPolyline(line);
    painter.restore();
}

void LinesLayer::drawBand(QCPPainter& painter, const ChartCurve& curve, const QColor& colour) {
    const ChartX axis = m_plot.data().xAxis();
    QColor ink = colour;
    ink.setAlphaF(0.22F);
    // Column by column even on a page: the band has no more edges than its columns.
    const PixelMap& map = m_vector ? m_map : m_deviceMap;
    computeColumns(curve, *curve.high, Values::Smoothed, axis, map, m_spans);
    computeColumns(curve, *curve.low, Values::Smoothed, axis, map, m_edges);
    for (size_t c = 0; c < m_spans.size(); ++c) {
        if (m_spans[c].empty()) m_spans[c].top = 0; // above a logarithmic axis' reach there is no upper edge to be seen
        if (m_edges[c].empty())
            m_spans[c] = {};
        else
            m_spans[c].bottom = std::max(m_spans[c].bottom, m_edges[c].bottom);
    }
    if (m_vector) {
        const QPointF origin = m_plot.axisRect()->rect().topLeft();
        for (size_t c = 0; c < m_spans.size(); ++c)
            if (!m_spans[c].empty())
                painter.fillRect(QRectF(origin + QPointF(static_cast<double>(c), static_cast<double>(m_spans[c].top)),
                                        origin + QPointF(static_cast<double>(c + 1), static_cast<double>(m_spans[c].bottom))),
                                 ink);
        return;
    }
    if (!m_canvasUsed) m_canvas.begin(static_cast<int>(std::ceil(map.width)), static_cast<int>(std::ceil(map.height)));
    m_canvasUsed = true;
    m_canvas.fill(m_spans, ink);
}

void LinesLayer::drawMarkers(QCPPainter& painter, const ChartCurve& curve) {
    const ChartX axis = m_plot.data().xAxis();
    const QColor ground = m_plot.theme()[Token::Base];
    const LineStyle style = lineStyle(curve.spec, m_plot.theme());
    const std::vector<double>& values = curve.line->values(Values::Smoothed);
    const QPointF origin = m_plot.axisRect()->rect().topLeft();
    const double size = m_plot.fontMetrics().height() * 0.45, half = std::ceil(size / 2) + 1;
    // Painted once, then copied: shapes with soft edges are dear.
    QPixmap stamp;
    if (!m_vector) {
        stamp = QPixmap((QSizeF(2 * half, 2 * half) * m_ratio).toSize());
        stamp.setDevicePixelRatio(m_ratio);
        stamp.fill(Qt::transparent);
        QPainter ink(&stamp);
        ink.setRenderHint(QPainter::Antialiasing);
        drawMarker(ink, {half, half}, size, style, ground);
    }
    const auto mark = [&](size_t i) {
        const double y = m_map.py(values[i]);
        if (std::isnan(y)) return;
        const QPointF at = origin + QPointF(m_map.px(curve.x(i, axis)), y);
        if (m_vector)
            drawMarker(painter, at, size, style, ground);
        else
            painter.drawPixmap(at - QPointF(half, half), stamp);
    };
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const auto [from, to] = pointsIn(curve, axis, m_map.xLower, m_map.xUpper);
    const auto count = static_cast<double>(to - from);
    if (curve.spec.points ? count < m_map.width / 4 : count < m_map.width / 16) {
        for (size_t i = from; i < to; ++i) mark(i);
    } else if (m_plot.data().curves().size() > 1) {
        // Apart from each other, and not in the same places as those of the other lines.
        const double shift = kMarkerEvery * (0.15 + 0.31 * (std::max(0, curve.spec.colour) % 3));
        for (double px = shift; px < m_map.width; px += kMarkerEvery) {
            const size_t i = curve.lowerBound(m_map.xLower + px / m_map.width * (m_map.xUpper - m_map.xLower), axis);
            if (i < curve.line->size() && m_map.px(curve.x(i, axis)) <= m_map.width && i > 0) mark(i);
        }
    }
    painter.restore();
}

} // namespace qw::ui
