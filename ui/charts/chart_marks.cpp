// SPDX-License-Identifier: GPL-3.0-or-later
// What: bands behind the lines; flags and marks of values that are no numbers before them; crosshair, pins and zoom box on top.
#include "charts/chart_layers.h"
#include "charts/chart_plot.h"

#include <algorithm>
#include <cmath>

namespace qw::ui {
namespace {

// What of the band is in sight; empty: nothing.
QRectF bandArea(const ChartPlot& plot, const ChartBand& band) {
    const QRectF inside = plot.axisRect()->rect();
    const auto from = plot.xOfStep(band.fromStep);
    const auto to = std::isinf(band.toStep) ? std::optional(plot.xAxis->range().upper) : plot.xOfStep(band.toStep);
    if (!from || !to) return {};
    const double left = std::max(inside.left(), plot.xAxis->coordToPixel(*from));
    const double right = std::min(inside.right() + 1, plot.xAxis->coordToPixel(*to));
    return right <= left ? QRectF() : QRectF(left, inside.top(), right - left, inside.height());
}

} // namespace

BandLayer::BandLayer(ChartPlot& plot) : QCPLayerable(&plot, QStringLiteral("background")), m_plot(plot) {}
QRect BandLayer::clipRect() const { return m_plot.axisRect()->rect(); }
void BandLayer::applyDefaultAntialiasingHint(QCPPainter* painter) const { painter->setAntialiasing(false); }

void BandLayer::draw(QCPPainter* painter) {
    const QRectF inside = m_plot.axisRect()->rect();
    for (const ChartBand& band : m_plot.picture().bands) {
        if (const QRectF area = bandArea(m_plot, band); !area.isEmpty()) painter->fillRect(area, m_plot.theme()[Token::Band]);
    }
    const bool nothing = !m_plot.data().xRange().valid();
    if (nothing && !m_plot.picture().emptyText.isEmpty()) {
        painter->setPen(m_plot.theme()[Token::Muted]);
        painter->setFont(m_plot.font());
        painter->drawText(inside, Qt::AlignCenter | Qt::TextWordWrap, m_plot.picture().emptyText);
    }
}

FlagLayer::FlagLayer(ChartPlot& plot) : QCPLayerable(&plot, QStringLiteral("main")), m_plot(plot) {}
QRect FlagLayer::clipRect() const { return m_plot.axisRect()->rect(); }
void FlagLayer::applyDefaultAntialiasingHint(QCPPainter* painter) const { painter->setAntialiasing(true); }

// Above the lines on a ground of its own: it must stay readable.
void FlagLayer::drawBandLabels(QCPPainter& painter) {
    painter.setFont(m_plot.xAxis->tickLabelFont());
    const QFontMetricsF metrics(painter.font());
    QColor ground = m_plot.theme()[Token::Band];
    ground.setAlphaF(0.85F);
    for (const ChartBand& band : m_plot.picture().bands) {
        const QRectF area = bandArea(m_plot, band);
        const QString label = metrics.elidedText(band.label, Qt::ElideRight, area.width() - metrics.height());
        if (area.isEmpty() || label.size() < 3) continue;
        const QRectF tag(area.left(), area.bottom() - metrics.height() * 1.2, metrics.horizontalAdvance(label) + metrics.height() / 2,
                         metrics.height() * 1.2);
        painter.fillRect(tag, ground);
        painter.setPen(m_plot.theme()[Token::Text]);
        painter.drawText(tag, Qt::AlignCenter, label);
    }
}

void FlagLayer::draw(QCPPainter* painter) {
    drawBandLabels(*painter);
    const QRectF inside = m_plot.axisRect()->rect();
    const double size = m_plot.fontMetrics().height();
    double freeFrom = -1e9; // flags that would overlap share the first one's icon
    for (const ChartFlag& flag : m_plot.picture().flags) {
        const auto x = m_plot.xOfStep(flag.step);
        if (!x) continue;
        const double px = std::round(m_plot.xAxis->coordToPixel(*x)) + 0.5;
        if (px < inside.left() || px > inside.right()) continue;
        QPen pen(m_plot.theme()[Token::Muted], 1);
        pen.setDashPattern({2, 4});
        painter->setPen(pen);
        painter->drawLine(QPointF(px, inside.top() + 2 * size), QPointF(px, inside.bottom()));
        if (px - size / 2 < freeFrom) continue;
        freeFrom = px + size / 2;
        Theme::instance()
            .icon(flag.icon.isEmpty() ? QStringLiteral("info") : flag.icon, Token::Muted)
            .paint(painter,
                   QRectF(std::max(inside.left(), std::min(px - size / 2, inside.right() - size)), inside.top() + 0.9 * size, size, size)
                       .toRect());
    }
    for (const ChartCurve& curve : m_plot.data().curves())
        if (ChartData::drawn(curve, m_plot.data().xAxis())) drawNonFinite(*painter, curve, inside);
}

void FlagLayer::drawNonFinite(QCPPainter& painter, const ChartCurve& curve, const QRectF& inside) {
    const ChartX axis = m_plot.data().xAxis();
    const double half = m_plot.fontMetrics().height() * 0.3;
    const LineStyle style = lineStyle(curve.spec, m_plot.theme());
    double last = -1e9;
    for (const size_t i : curve.line->nonFinite()) {
        const double px = m_plot.xAxis->coordToPixel(curve.x(i, axis));
        if (px < inside.left() - half || px > inside.right() + half || px - last < half) continue;
        last = px;
        const bool nan = std::isnan(curve.line->values(Values::Raw)[i]);
        // NaN: hollow; infinite: filled.
        painter.setPen(QPen(style.colour, 1.5));
        painter.setBrush(nan ? QBrush(m_plot.theme()[Token::Base]) : QBrush(style.colour));
        painter.drawPolygon(
            QPolygonF({{px, inside.top() + 2}, {px - half, inside.top() + 2 + 2 * half}, {px + half, inside.top() + 2 + 2 * half}}));
        painter.setBrush(Qt::NoBrush);
    }
}

OverlayLayer::OverlayLayer(ChartPlot& plot, const QString& layer) : QCPLayerable(&plot, layer), m_plot(plot) {}
QRect OverlayLayer::clipRect() const { return m_plot.axisRect()->rect(); }
void OverlayLayer::applyDefaultAntialiasingHint(QCPPainter* painter) const { painter->setAntialiasing(true); }

void OverlayLayer::drawVertical(QCPPainter& painter, double step, const QPen& pen, const QString& label) {
    const auto x = m_plot.xOfStep(step);
    if (!x) return;
    const QRectF inside = m_plot.axisRect()->rect();
    const double px = std::round(m_plot.xAxis->coordToPixel(*x)) + 0.5;
    if (px < inside.left() || px > inside.right() + 1) return;
    painter.setPen(pen);
    painter.drawLine(QPointF(px, inside.top()), QPointF(px, inside.bottom()));
    if (label.isEmpty()) return;
    const double size = m_plot.fontMetrics().height() * 1.1;
    const QRectF tag(px - size / 2, inside.bottom() - size, size, size);
    painter.fillRect(tag, pen.color());
    painter.setPen(m_plot.theme()[Token::AccentText]);
    painter.setFont(m_plot.xAxis->tickLabelFont());
    painter.drawText(tag, Qt::AlignCenter, label);
}

void OverlayLayer::draw(QCPPainter* painter) {
    const ThemeTable& theme = m_plot.theme();
    const ChartPicture& picture = m_plot.picture();
    for (size_t i = 0; i < picture.pins.size(); ++i)
        drawVertical(*painter, picture.pins[i], QPen(theme[Token::Accent], 1), QString(QChar(static_cast<char16_t>(u'A' + i))));
    const ChartX axis = m_plot.data().xAxis();
    if (const auto x = std::isnan(picture.crosshair) ? std::nullopt : m_plot.xOfStep(picture.crosshair)) {
        drawVertical(*painter, picture.crosshair, QPen(theme[Token::Muted], 1), {});
        const PixelMap map = m_plot.pixelMap(1);
        const QPointF origin = m_plot.axisRect()->rect().topLeft();
        for (const ChartCurve& curve : m_plot.data().curves()) {
            if (!ChartData::drawn(curve, axis)) continue;
            const size_t i = curve.line->nearest(*x, axis, curve.spec.tokensPerStep);
            const double y = map.py(curve.line->values(Values::Smoothed)[i]);
            if (std::isnan(y)) continue;
            painter->setPen(QPen(theme[Token::Base], 1));
            painter->setBrush(lineStyle(curve.spec, theme).colour);
            painter->drawEllipse(origin + QPointF(map.px(curve.x(i, axis)), y), 3.5, 3.5);
            painter->setBrush(Qt::NoBrush);
        }
    }
    if (const QRectF box = m_plot.box(); !box.isEmpty()) {
        QColor fill = theme[Token::Accent];
        fill.setAlphaF(0.15F);
        painter->fillRect(box, fill);
        painter->setPen(QPen(theme[Token::Accent], 1));
        painter->drawRect(box);
    }
}

} // namespace qw::ui
