// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/histogram_view.h"

#include "theme/theme.h"

#include <QEvent>
#include <QLocale>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>
#include <algorithm>
#include <cmath>

namespace qw::ui {
namespace {

// A round step that gives about `wanted` marks.
double roundStep(double span, int wanted) {
    const double raw = span / std::max(1, wanted), power = std::pow(10.0, std::floor(std::log10(raw)));
    for (const double times : {1.0, 2.0, 5.0})
        if (power * times >= raw) return power * times;
    return power * 10;
}

QString short3(double v) { return QLocale().toString(std::fabs(v) < 1e-12 ? 0.0 : v, 'g', 3); }

} // namespace

HistogramView::HistogramView(QWidget* parent) : QWidget(parent) {
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void HistogramView::show(const HistogramShown& shown) {
    m_shown = shown;
    setAccessibleDescription(shown.words);
    updateGeometry();
    update();
}

QSize HistogramView::sizeHint() const {
    const int line = fontMetrics().height();
    return {line * 20, m_shown.bins.empty() ? line * 3 : line * 9};
}

QSize HistogramView::minimumSizeHint() const {
    const int line = fontMetrics().height();
    return {line * 10, m_shown.bins.empty() ? line * 3 : line * 6};
}

QRectF HistogramView::plot() const {
    const qreal line = fontMetrics().height();
    const qreal top = m_shown.caption.isEmpty() ? line * 0.3 : line * 1.3;
    return QRectF(rect()).adjusted(line * 0.4, top, -line * 0.4, -line * 1.35);
}

double HistogramView::xOf(double value) const {
    const QRectF area = plot();
    const double span = m_shown.high - m_shown.low;
    return area.left() + (span > 0 ? (value - m_shown.low) / span : 0.5) * area.width();
}

void HistogramView::paintBins(QPainter& painter, const QRectF& area) const {
    const int64_t most = *std::ranges::max_element(m_shown.bins);
    if (most <= 0) return;
    const double width = area.width() / static_cast<double>(m_shown.bins.size());
    QPainterPath path(QPointF(area.left(), area.bottom()));
    for (size_t i = 0; i < m_shown.bins.size(); ++i) {
        const double tall = std::sqrt(static_cast<double>(m_shown.bins[i]) / static_cast<double>(most)) * area.height();
        const double left = area.left() + width * static_cast<double>(i);
        path.lineTo(left, area.bottom() - tall);
        path.lineTo(left + width, area.bottom() - tall);
    }
    path.lineTo(area.right(), area.bottom());
    QColor fill = Theme::instance().colour(Token::Heat);
    fill.setAlphaF(0.35f);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillPath(path, fill);
    painter.setPen(QPen(Theme::instance().colour(Token::Heat), 1));
    painter.drawPath(path);
}

void HistogramView::paintLevels(QPainter& painter, const QRectF& area) const {
    const bool line = m_shown.bins.empty();
    QColor colour = Theme::instance().colour(Token::Accent);
    painter.setRenderHint(QPainter::Antialiasing, false);
    const double top = line ? area.top() : area.bottom() - area.height() * 0.16;
    const bool dense = static_cast<double>(m_shown.levels.size()) * 2.5 > area.width();
    if (dense) colour.setAlphaF(0.5f);
    painter.setPen(QPen(colour, line && !dense ? 2 : 1));
    for (const double level : m_shown.levels) {
        const double x = std::round(xOf(level));
        if (x < area.left() - 1 || x > area.right() + 1) continue;
        painter.drawLine(QPointF(x, top), QPointF(x, area.bottom()));
    }
}

void HistogramView::paintAxis(QPainter& painter, const QRectF& area) const {
    const Theme& theme = Theme::instance();
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(theme.colour(Token::Axis));
    painter.drawLine(area.bottomLeft(), area.bottomRight());
    const double span = m_shown.high - m_shown.low;
    if (!(span > 0)) return;
    const QFontMetrics metrics = fontMetrics();
    const int room = std::max(2, static_cast<int>(area.width() / (metrics.horizontalAdvance(QStringLiteral("−0.0000")) * 1.5)));
    const double step = roundStep(span, room);
    for (double v = std::ceil(m_shown.low / step) * step; v <= m_shown.high + step * 1e-9; v += step) {
        const double x = xOf(v);
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 3));
        const QString label = short3(v);
        const double wide = metrics.horizontalAdvance(label);
        const double left = std::clamp(x - wide / 2, 0.0, width() - wide);
        painter.drawText(QRectF(left, area.bottom() + 4, wide + 1, metrics.height()), Qt::AlignCenter, label);
    }
}

void HistogramView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme& theme = Theme::instance();
    const QRectF area = plot();
    if (!m_shown.caption.isEmpty()) {
        painter.setPen(theme.colour(Token::Muted));
        const QRectF place(area.left(), 0, area.width(), fontMetrics().height());
        painter.drawText(place, Qt::AlignLeft | Qt::AlignVCenter,
                         fontMetrics().elidedText(m_shown.caption, Qt::ElideRight, static_cast<int>(place.width())));
    }
    if (!m_shown.bins.empty()) paintBins(painter, area);
    paintLevels(painter, area);
    paintAxis(painter, area);
}

void HistogramView::mouseMoveEvent(QMouseEvent* event) {
    const QRectF area = plot();
    const double at = (event->position().x() - area.left()) / area.width();
    QString tip;
    const QLocale locale;
    if (at >= 0 && at < 1 && !m_shown.bins.empty()) {
        const auto bin = static_cast<size_t>(at * static_cast<double>(m_shown.bins.size()));
        const double width = (m_shown.high - m_shown.low) / static_cast<double>(m_shown.bins.size());
        const double left = m_shown.low + width * static_cast<double>(bin);
        tip = tr("%1 … %2: %3 weights").arg(short3(left), short3(left + width), locale.toString(qlonglong(m_shown.bins[bin])));
    } else if (at >= 0 && at <= 1 && !m_shown.levels.empty()) {
        const double value = m_shown.low + at * (m_shown.high - m_shown.low);
        const auto nearest = std::ranges::min_element(m_shown.levels, {}, [&](double level) { return std::fabs(level - value); });
        tip = tr("level %1").arg(locale.toString(*nearest, 'g', 6));
    }
    QToolTip::showText(event->globalPosition().toPoint(), tip, this);
}

void HistogramView::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) update();
    QWidget::changeEvent(event);
}

} // namespace qw::ui
