// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/chart_style.h"

#include "theme/markers.h"

#include <QCoreApplication>
#include <QLocale>
#include <QPainterPath>
#include <cmath>

namespace qw::ui {
namespace {

QString withDecimals(double value, double step) {
    int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 12);
    const double shown = step * std::pow(10, decimals); // 2.5 needs one more digit than 2
    if (decimals < 12 && std::abs(shown - std::round(shown)) > 1e-6) ++decimals;
    return QLocale().toString(value, 'f', decimals);
}

} // namespace

QPen LineStyle::pen(double width) const {
    QPen pen(colour, width);
    pen.setJoinStyle(Qt::BevelJoin);
    pen.setCapStyle(Qt::FlatCap);
    const auto [on, off] = dashPixels();
    if (off > 0) pen.setDashPattern({on / width, off / width});
    return pen;
}

std::pair<int, int> LineStyle::dashPixels() const {
    switch (dash) {
    case Qt::DashLine:
        return {8, 4};
    case Qt::DotLine:
        return {2, 3};
    case Qt::DashDotLine:
        return {4, 2};
    default:
        return {1, 0};
    }
}

QColor mixed(const QColor& colour, const QColor& ground, double share) {
    const auto mix = [share](int a, int b) { return static_cast<int>(std::lround(a * share + b * (1 - share))); };
    return {mix(colour.red(), ground.red()), mix(colour.green(), ground.green()), mix(colour.blue(), ground.blue())};
}

LineStyle lineStyle(const SeriesSpec& spec, const ThemeTable& theme) {
    static constexpr Qt::PenStyle dashes[] = {Qt::SolidLine, Qt::DashLine, Qt::DotLine, Qt::DashDotLine};
    const auto n = static_cast<size_t>(std::max(0, spec.colour));
    LineStyle style;
    style.colour = spec.background ? mixed(theme[Token::Muted], theme[Token::Base], 0.45) : theme.series[n % kSeriesColours];
    style.dash = spec.dash >= 0 ? dashes[static_cast<size_t>(spec.dash) % std::size(dashes)] : Theme::dashOf(static_cast<int>(n));
    style.marker = static_cast<int>(n % kMarkers);
    return style;
}

void drawMarker(QPainter& painter, const QPointF& at, double size, const LineStyle& style, const QColor& ground) {
    QPolygonF shape = markerShape(style.marker);
    for (QPointF& p : shape) p = at + p * size / 2;
    painter.setPen(QPen(ground, 1)); // a rim keeps the marker apart from lines of its colour
    painter.setBrush(style.colour);
    painter.drawPolygon(shape);
    painter.setBrush(Qt::NoBrush);
}

void drawSwatch(QPainter& painter, const QRectF& rect, const LineStyle& style, const QColor& ground) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(style.pen(2));
    painter.drawLine(QPointF(rect.left(), rect.center().y()), QPointF(rect.right(), rect.center().y()));
    drawMarker(painter, rect.center(), rect.height() * 0.55, style, ground);
    painter.restore();
}

void drawTag(QPainter& painter, const QRectF& box, const QString& text, const QColor& ink, const QColor& ground) {
    painter.fillRect(box.adjusted(-2, 0, 2, 0), ground);
    painter.setPen(ink);
    painter.drawText(box, Qt::AlignCenter, text);
}

void styleAxes(QCustomPlot& plot, const ThemeTable& theme) {
    QFont font = plot.font();
    if (font.pointSizeF() > 0) font.setPointSizeF(font.pointSizeF() * 0.9);
    plot.setBackground(QBrush(theme[Token::Base]));
    for (QCPAxis* axis : {plot.xAxis, plot.yAxis, plot.xAxis2, plot.yAxis2}) {
        axis->setBasePen(QPen(theme[Token::Border], 1));
        axis->setTickPen(QPen(theme[Token::Border], 1));
        axis->setSubTickPen(QPen(theme[Token::Border], 1));
        axis->setTickLabelColor(theme[Token::Axis]);
        axis->setLabelColor(theme[Token::Axis]);
        axis->setTickLabelFont(font);
        axis->setLabelFont(font);
        axis->setTickLength(0, 4);
        axis->setSubTickLength(0, 2);
        axis->setTickLabelPadding(4);
        axis->setLabelPadding(2);
        axis->grid()->setPen(QPen(theme[Token::Grid], 1));
        axis->grid()->setSubGridVisible(false);
        axis->grid()->setZeroLinePen(Qt::NoPen);
        axis->grid()->setAntialiased(false);
    }
}

void setAxisLabels(QCustomPlot& plot, const QString& x, const QString& y) {
    plot.xAxis->setLabel(x);
    plot.yAxis->setLabel(y);
}

double NumberTicker::getTickStep(const QCPRange& range) {
    m_step = QCPAxisTicker::getTickStep(range);
    if (m_kind == Kind::Seconds) {
        // Steps of a clock, not of ten.
        static constexpr double steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400};
        const double exact = range.size() / (mTickCount + 1e-10);
        if (exact >= 1)
            m_step = *std::min_element(std::begin(steps), std::end(steps), [exact](double a, double b) {
                return std::abs(std::log(a / exact)) < std::abs(std::log(b / exact));
            });
        if (exact > 86400) m_step = std::ceil(exact / 86400) * 86400;
    }
    if (m_kind == Kind::Count) m_step = std::max(1.0, m_step);
    return m_step;
}

QString NumberTicker::getTickLabel(double tick, const QLocale&, QChar, int) {
    if (std::abs(tick) < m_step * 1e-6) tick = 0;
    if (m_kind == Kind::Seconds && m_step >= 1) return secondsText(tick);
    const double size = std::max(std::abs(tick), m_step);
    if (m_kind == Kind::Count && size >= 1e5) {
        const auto [unit, letter] = size >= 1e9   ? std::pair(1e9, QLatin1Char('G'))
                                    : size >= 1e6 ? std::pair(1e6, QLatin1Char('M'))
                                                  : std::pair(1e3, QLatin1Char('k'));
        return withDecimals(tick / unit, m_step / unit) + letter;
    }
    if (tick == 0) return QLocale().toString(0);
    if (size >= 1e7 || std::abs(tick) < 1e-3) return QLocale().toString(tick, 'g', 3);
    return withDecimals(tick, m_step);
}

QVector<double> LogTicker::createTickVector(double tickStep, const QCPRange& range) {
    if (range.upper / range.lower < 50) {
        QCPAxisTicker linear;
        linear.setTickCount(5);
        QVector<double> ticks;
        QVector<double> sub;
        linear.generate(range, QLocale(), QLatin1Char('g'), 6, ticks, &sub, nullptr);
        return ticks;
    }
    return QCPAxisTickerLog::createTickVector(tickStep, range);
}

int LogTicker::getSubTickCount(double) { return 8; }

QString LogTicker::getTickLabel(double tick, const QLocale&, QChar, int) {
    return tick >= 1e5 || tick < 1e-3 ? QLocale().toString(tick, 'g', 3) : QLocale().toString(tick, 'g', 4);
}

QString numberText(double value, int digits) {
    if (std::isnan(value)) return QStringLiteral("NaN");
    if (std::isinf(value)) return value > 0 ? QStringLiteral("∞") : QStringLiteral("−∞");
    const double size = std::abs(value);
    if (value == std::round(value) && size < 1e6) return QLocale().toString(value, 'f', 0);
    if (size < 1e-3 || size >= 1e7) return QLocale().toString(value, 'g', digits);
    // Always as many digits: columns of numbers do not jump.
    return QLocale().toString(value, 'f', std::max(0, digits - 1 - static_cast<int>(std::floor(std::log10(size)))));
}

QString secondsText(double seconds) {
    const auto s = static_cast<qint64>(std::llround(std::abs(seconds)));
    const QString sign = seconds < 0 ? QStringLiteral("−") : QString();
    const QLatin1Char zero('0');
    if (s < 3600) return sign + QStringLiteral("%1:%2").arg(s / 60).arg(s % 60, 2, 10, zero);
    return sign + QStringLiteral("%1:%2:%3").arg(s / 3600).arg(s / 60 % 60, 2, 10, zero).arg(s % 60, 2, 10, zero);
}

QString xText(double x, ChartX axis) {
    if (axis == ChartX::Time) return secondsText(x);
    const QString number = QLocale().toString(std::round(x), 'f', 0);
    return axis == ChartX::Tokens ? QCoreApplication::translate("QatChart", "%1 tokens").arg(number)
                                  : QCoreApplication::translate("QatChart", "step %1").arg(number);
}

} // namespace qw::ui
