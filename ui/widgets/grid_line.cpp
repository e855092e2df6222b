// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/grid_line.h"

#include "theme/theme.h"

#include <QEvent>
#include <QLocale>
#include <QMouseEvent>
#include <QPainter>
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

} // namespace

GridLine::GridLine(QWidget* parent) : QWidget(parent) {
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void GridLine::setLevels(const std::vector<double>& levels, const QString& caption) {
    m_levels = levels;
    m_caption = caption;
    const QLocale locale;
    setAccessibleDescription(levels.empty() ? QString()
                                            : tr("%1 levels from %2 to %3")
                                                  .arg(levels.size())
                                                  .arg(locale.toString(levels.front(), 'g', 4), locale.toString(levels.back(), 'g', 4)));
    update();
}

QSize GridLine::sizeHint() const { return {fontMetrics().height() * 20, fontMetrics().height() * 7 / 2}; }
QSize GridLine::minimumSizeHint() const { return {fontMetrics().height() * 10, fontMetrics().height() * 7 / 2}; }

QRectF GridLine::place() const {
    const qreal line = fontMetrics().height();
    return QRectF(rect()).adjusted(line * 0.4, line * 1.3, -line * 0.4, -line * 1.35);
}

double GridLine::reach() const {
    return m_levels.empty() ? 1 : std::max({std::fabs(m_levels.front()), std::fabs(m_levels.back()), 1e-30}) * 1.08;
}

void GridLine::paintAxis(QPainter& painter, const QRectF& area) const {
    const QFontMetrics metrics = fontMetrics();
    const double most = reach();
    const int room = std::max(6, static_cast<int>(area.width() / (metrics.horizontalAdvance(QStringLiteral("−0.000")) * 1.4)));
    const double step = roundStep(2 * most, room);
    painter.setPen(Theme::instance().colour(Token::Axis));
    painter.drawLine(area.bottomLeft(), area.bottomRight());
    for (double v = std::ceil(-most / step) * step; v <= most; v += step) {
        const double x = area.left() + (v + most) / (2 * most) * area.width();
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 3));
        const QString label = QLocale().toString(std::fabs(v) < step / 2 ? 0.0 : v, 'g', 3);
        const double wide = metrics.horizontalAdvance(label);
        const double left = std::clamp(x - wide / 2, 0.0, std::max(0.0, width() - wide));
        painter.drawText(QRectF(left, area.bottom() + 4, wide + 1, metrics.height()), Qt::AlignCenter, label);
    }
}

void GridLine::paintEvent(QPaintEvent*) {
    if (m_levels.empty()) return;
    QPainter painter(this);
    const Theme& theme = Theme::instance();
    const QRectF area = place();
    painter.setPen(theme.colour(Token::Muted));
    painter.drawText(QRectF(area.left(), 0, area.width(), fontMetrics().height()), Qt::AlignLeft | Qt::AlignVCenter,
                     fontMetrics().elidedText(m_caption, Qt::ElideRight, static_cast<int>(area.width())));
    const bool dense = static_cast<double>(m_levels.size()) * 3 > area.width();
    painter.setPen(QPen(theme.colour(Token::Accent), dense ? 1 : 2));
    const double most = reach();
    for (const double level : m_levels) {
        const double x = std::round(area.left() + (level + most) / (2 * most) * area.width());
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    }
    paintAxis(painter, area);
}

void GridLine::mouseMoveEvent(QMouseEvent* event) {
    const QRectF area = place();
    QString tip;
    if (!m_levels.empty() && area.width() > 0) {
        const double value = ((event->position().x() - area.left()) / area.width() * 2 - 1) * reach();
        const auto nearest = std::ranges::min_element(m_levels, {}, [&](double level) { return std::fabs(level - value); });
        tip = tr("level %1").arg(QLocale().toString(*nearest, 'g', 6));
    }
    QToolTip::showText(event->globalPosition().toPoint(), tip, this);
}

void GridLine::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) update();
    QWidget::changeEvent(event);
}

} // namespace qw::ui
