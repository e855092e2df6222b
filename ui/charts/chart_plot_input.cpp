// SPDX-License-Identifier: GPL-3.0-or-later
// What: gestures of the plot: the wheel zooms at the pointer, a drag pans, Shift and a drag boxes, on an axis only that axis.
#include "charts/chart_plot.h"

#include <QApplication>
#include <QHelpEvent>
#include <QLocale>
#include <QToolTip>
#include <cmath>

namespace qw::ui {
namespace {

constexpr int kWheelPauseMs = 500; // turns closer than this are one gesture
constexpr double kWheelFactor = 0.85;

} // namespace

ChartPlot::Part ChartPlot::partAt(const QPointF& at) const {
    const QRectF inside = axisRect()->rect();
    if (inside.contains(at)) return Part::Inside;
    if (at.x() >= inside.left() && at.x() <= inside.right() && at.y() > inside.bottom()) return Part::XAxis;
    if (at.y() >= inside.top() && at.y() <= inside.bottom() && at.x() < inside.left()) return Part::YAxis;
    return Part::Outside;
}

QRectF ChartPlot::box() const {
    if (!m_drag.on || !m_drag.box || !m_drag.moved) return {};
    return QRectF(m_drag.from, m_drag.to).normalized().intersected(QRectF(axisRect()->rect()));
}

void ChartPlot::wheelEvent(QWheelEvent* event) {
    const Part part = partAt(event->position());
    const double turns = event->angleDelta().y() / 120.0;
    if (part == Part::Outside || turns == 0) {
        event->ignore();
        return;
    }
    if (!m_sinceWheel.isValid() || m_sinceWheel.elapsed() > kWheelPauseMs) ++m_gesture;
    m_sinceWheel.start();
    const QRectF inside = axisRect()->rect();
    const double factor = std::pow(kWheelFactor, turns);
    const double fx = std::clamp((event->position().x() - inside.left()) / inside.width(), 0.0, 1.0);
    const double fy = std::clamp((axisRect()->bottom() - event->position().y()) / inside.height(), 0.0, 1.0);
    userZoom(ChartRange::scaled(m_range.window(), part == Part::YAxis ? 1 : factor, part == Part::XAxis ? 1 : factor, fx, fy, m_logY),
             m_gesture);
    event->accept();
}

void ChartPlot::mousePressEvent(QMouseEvent* event) {
    setFocus(Qt::MouseFocusReason);
    const Part part = partAt(event->position());
    if (event->button() != Qt::LeftButton || part == Part::Outside) {
        event->ignore();
        return;
    }
    m_drag = {};
    m_drag.on = true;
    m_drag.box = part == Part::Inside && event->modifiers().testFlag(Qt::ShiftModifier);
    m_drag.part = part;
    m_drag.from = m_drag.to = event->position();
    m_drag.window = m_range.window();
    ++m_gesture;
}

void ChartPlot::mouseMoveEvent(QMouseEvent* event) {
    const QRectF inside = axisRect()->rect();
    const QPointF at = event->position();
    if (m_drag.on) {
        m_drag.to = at;
        if (!m_drag.moved && (at - m_drag.from).manhattanLength() < QApplication::startDragDistance()) return;
        m_drag.moved = true;
        if (m_drag.box) return drawOverlay();
        const double dx = m_drag.part == Part::YAxis ? 0 : (m_drag.from.x() - at.x()) / inside.width();
        const double dy = m_drag.part == Part::XAxis ? 0 : (at.y() - m_drag.from.y()) / inside.height();
        return userZoom(ChartRange::moved(m_drag.window, dx, dy, m_logY), m_gesture);
    }
    const Part part = partAt(at);
    setCursor(part == Part::XAxis ? Qt::SizeHorCursor : part == Part::YAxis ? Qt::SizeVerCursor : Qt::ArrowCursor);
    if (part != Part::Inside) {
        setCrosshair(std::nan(""));
        Q_EMIT crosshairMoved(std::nan(""));
        return;
    }
    if (const auto step = stepAt(xAxis->pixelToCoord(at.x()))) {
        setCrosshair(*step);
        Q_EMIT crosshairMoved(*step);
    }
}

void ChartPlot::mouseReleaseEvent(QMouseEvent* event) {
    if (!m_drag.on) {
        event->ignore();
        return;
    }
    const QRectF boxed = box();
    const Drag drag = std::exchange(m_drag, {});
    if (drag.box && boxed.width() > 4 && boxed.height() > 4) {
        ChartWindow window;
        window.xLower = xAxis->pixelToCoord(boxed.left());
        window.xUpper = xAxis->pixelToCoord(boxed.right());
        window.yLower = yAxis->pixelToCoord(boxed.bottom());
        window.yUpper = yAxis->pixelToCoord(boxed.top());
        userZoom(window, ++m_gesture);
    } else if (!drag.moved && drag.part == Part::Inside && !drag.box && !std::isnan(m_picture.crosshair)) {
        togglePin(m_picture.crosshair);
    }
    drawOverlay();
}

void ChartPlot::mouseDoubleClickEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton || partAt(event->position()) == Part::Outside) return;
    // The first click of the two has pinned a line; it was meant for this.
    if (partAt(event->position()) == Part::Inside && !std::isnan(m_picture.crosshair)) togglePin(m_picture.crosshair);
    m_drag = {};
    resetZoom();
}

void ChartPlot::leaveEvent(QEvent* event) {
    PlotBase::leaveEvent(event);
    setCrosshair(std::nan(""));
    Q_EMIT crosshairMoved(std::nan(""));
}

QString ChartPlot::tipAt(const QPointF& at) const {
    constexpr double kNear = 8; // pixels
    const ChartX axis = m_data.xAxis();
    QStringList lines;
    for (const ChartFlag& flag : m_picture.flags)
        if (const auto x = xOfStep(flag.step); x && std::abs(xAxis->coordToPixel(*x) - at.x()) <= kNear)
            lines << tr("%1: %2").arg(xText(*x, axis), flag.text);
    for (const ChartBand& band : m_picture.bands) {
        const auto from = xOfStep(band.fromStep), to = std::isinf(band.toStep) ? std::optional(1e300) : xOfStep(band.toStep);
        const double x = xAxis->pixelToCoord(at.x());
        if (from && to && x >= *from && x <= *to && at.y() < axisRect()->top() + fontMetrics().height() * 2)
            lines << (std::isinf(band.toStep) ? tr("%1, since %2").arg(band.label, xText(*from, axis))
                                              : tr("%1, from %2 to %3").arg(band.label, xText(*from, axis), xText(*to, axis)));
    }
    if (at.y() < axisRect()->top() + 2 * kNear)
        for (const ChartCurve& curve : m_data.curves()) {
            if (!ChartData::drawn(curve, axis)) continue;
            for (const size_t i : curve.line->nonFinite())
                if (std::abs(xAxis->coordToPixel(curve.x(i, axis)) - at.x()) <= kNear) {
                    lines << tr("%1: %2 at %3")
                                 .arg(curve.spec.label, numberText(curve.line->values(Values::Raw)[i]), xText(curve.x(i, axis), axis));
                    break;
                }
        }
    return lines.join(QLatin1Char('\n'));
}

bool ChartPlot::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const QString text = tipAt(help->pos());
        if (text.isEmpty())
            QToolTip::hideText();
        else
            QToolTip::showText(help->globalPos(), text, this);
        return true;
    }
    return PlotBase::event(event);
}

} // namespace qw::ui
