// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/memory_bar.h"

#include "models/run_texts.h"
#include "theme/theme.h"

#include <QLocale>
#include <QPainter>
#include <algorithm>

namespace qw::ui {

MemoryBar::MemoryBar(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("memoryBar"));
    setAccessibleName(tr("Memory of the training"));
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
    clear();
}

void MemoryBar::clear() { show({}); }

void MemoryBar::setDimmed(bool dimmed) {
    m_dimmed = dimmed;
    update();
}

void MemoryBar::show(const Forecast& forecast) {
    m_forecast = forecast;
    static constexpr const char* kFits[] = {"unknown", "good", "tight", "over"};
    setProperty("fit", QString::fromLatin1(kFits[static_cast<size_t>(forecast.fit())]));
    QStringList parts;
    for (const auto& part : forecast.parts) parts << legendText(part);
    setAccessibleDescription(parts.isEmpty() ? tr("no forecast yet")
                                             : tr("%1 of %2: %3")
                                                   .arg(sizeText(double(forecast.total)), sizeText(double(forecast.available)),
                                                        parts.join(QStringLiteral(", "))));
    setToolTip(parts.join(QLatin1Char('\n')));
    updateGeometry();
    update();
}

QString MemoryBar::legendText(const Forecast::Part& part) const { return tr("%1 %2").arg(part.name, sizeText(double(part.bytes))); }

QSize MemoryBar::sizeHint() const {
    const int width = fontMetrics().averageCharWidth() * 36;
    return {width, heightForWidth(width)};
}

int MemoryBar::heightForWidth(int width) const {
    const int line = fontMetrics().height();
    return line * 3 / 2 + line / 2 + layLegend(width, nullptr);
}

// Lays the legend out in lines; draws it when there is a painter.
int MemoryBar::layLegend(int width, QPainter* painter) const {
    const int line = fontMetrics().height(), swatch = line * 2 / 3, gap = line / 3;
    const int top = line * 2;
    int x = 0, y = 0, n = 0;
    for (const auto& part : m_forecast.parts) {
        const QString words = legendText(part);
        const int wide = swatch + gap + fontMetrics().horizontalAdvance(words) + line;
        if (x > 0 && x + wide - line > width) {
            x = 0;
            y += line * 5 / 4;
        }
        if (painter) {
            painter->setPen(Qt::NoPen);
            painter->setBrush(Theme::instance().series(n));
            painter->drawRect(x, top + y + (line - swatch) / 2, swatch, swatch);
            painter->setPen(Theme::instance().colour(Token::Text));
            painter->drawText(QRect(x + swatch + gap, top + y, wide, line), Qt::AlignLeft | Qt::AlignVCenter, words);
        }
        x += wide;
        ++n;
    }
    return m_forecast.parts.empty() ? 0 : y + line * 5 / 4;
}

void MemoryBar::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    if (m_dimmed) painter.setOpacity(0.45);
    const Theme& theme = Theme::instance();
    const int line = fontMetrics().height();
    const QRectF bar(0.5, 0.5, width() - 1, line * 1.5);
    const double most = double(std::max({m_forecast.total, m_forecast.available, qint64(1)}));
    painter.fillRect(bar, theme.colour(Token::Base));
    double x = bar.left();
    int n = 0;
    for (const auto& part : m_forecast.parts) {
        const double wide = bar.width() * double(part.bytes) / most;
        painter.fillRect(QRectF(x, bar.top(), wide, bar.height()), theme.series(n++));
        if (x > bar.left()) painter.fillRect(QRectF(x - 0.5, bar.top(), 1, bar.height()), theme.colour(Token::Base));
        x += wide;
    }
    const auto fit = m_forecast.fit();
    const Token edge = fit == Forecast::Fit::Over ? Token::Bad : fit == Forecast::Fit::Tight ? Token::Warning : Token::Border;
    if (m_forecast.available > 0 && fit != Forecast::Fit::Unknown) { // where it gets tight, and where the memory ends
        painter.setPen(QPen(theme.colour(Token::Warning), 1, Qt::DashLine));
        const double tight = bar.left() + bar.width() * 0.85 * double(m_forecast.available) / most;
        painter.drawLine(QPointF(tight, bar.top()), QPointF(tight, bar.bottom()));
        if (fit == Forecast::Fit::Over) {
            painter.setPen(QPen(theme.colour(Token::Bad), 2));
            const double end = bar.left() + bar.width() * double(m_forecast.available) / most;
            painter.drawLine(QPointF(end, bar.top()), QPointF(end, bar.bottom()));
        }
    }
    painter.setPen(QPen(theme.colour(edge), edge == Token::Border ? 1 : 2));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(bar);
    layLegend(width(), &painter);
}

} // namespace qw::ui
