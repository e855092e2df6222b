// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/lr_sparkline.h"

#include "config/schedule.h"
#include "theme/theme.h"

#include <QLocale>
#include <QPainter>
#include <QPainterPath>
#include <algorithm>

namespace qw::ui {
namespace {

constexpr int kPoints = 256;
constexpr int64_t kShapeSteps = 1000;

} // namespace

LrSparkline::LrSparkline(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("lrSparkline"));
    setAccessibleName(tr("Learning rate over the run"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

QSize LrSparkline::sizeHint() const {
    const int line = fontMetrics().height();
    return {line * 12, line * 5};
}

void LrSparkline::show(const records::Recipe& recipe, int64_t totalSteps) {
    const int64_t steps = totalSteps > 0 ? totalSteps : kShapeSteps;
    const int points = static_cast<int>(std::min<int64_t>(kPoints, steps));
    m_rates.clear();
    m_peak = 0;
    for (int i = 0; i < points; ++i) {
        const int64_t step = points > 1 ? (steps - 1) * i / (points - 1) : 0;
        m_rates.append(recipe.optim.lr * config::lrFactor(recipe.schedule, step, steps));
        m_peak = std::max(m_peak, m_rates.last());
    }
    const auto number = [](double value) { return QLocale().toString(value, 'g', 3); };
    const int64_t warm = recipe.schedule.name == "constant" ? 0 : config::warmupSteps(recipe.schedule, steps);
    m_caption = totalSteps > 0 ? tr("peak %1, warm-up %2 of %3 steps")
                                     .arg(number(m_peak), QLocale().toString(qlonglong(warm)), QLocale().toString(qlonglong(steps)))
                               : tr("peak %1; number of steps follows from the text").arg(number(m_peak));
    setAccessibleDescription(tr("%1, first %2, last %3").arg(m_caption, number(m_rates.first()), number(m_rates.last())));
    setToolTip(accessibleDescription());
    update();
}

void LrSparkline::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Theme& theme = Theme::instance();
    const int line = fontMetrics().height();
    const QRectF area = QRectF(rect()).adjusted(1, line / 3.0, -1, -line * 1.3);
    painter.setPen(QPen(theme.colour(Token::Grid), 1));
    painter.drawLine(area.bottomLeft(), area.bottomRight());
    painter.drawLine(area.topLeft(), area.bottomLeft());
    if (m_rates.size() > 1 && m_peak > 0) {
        const auto at = [&](int i) {
            return QPointF(area.left() + area.width() * i / double(m_rates.size() - 1),
                           area.bottom() - area.height() * m_rates[i] / m_peak);
        };
        QPainterPath path(at(0));
        for (int i = 1; i < m_rates.size(); ++i) path.lineTo(at(i));
        QPainterPath ground = path;
        ground.lineTo(area.bottomRight());
        ground.lineTo(area.bottomLeft());
        QColor fill = theme.colour(Token::Accent);
        fill.setAlphaF(0.15F);
        painter.fillPath(ground, fill);
        painter.setPen(QPen(theme.colour(Token::Accent), 1.5));
        painter.drawPath(path);
    }
    painter.setPen(theme.colour(Token::Muted));
    painter.drawText(QRectF(0, height() - line * 1.15, width(), line * 1.15), Qt::AlignLeft | Qt::AlignVCenter,
                     fontMetrics().elidedText(m_caption, Qt::ElideRight, width()));
}

} // namespace qw::ui
