// SPDX-License-Identifier: GPL-3.0-or-later
// What: how a line of number n looks (colour, dash, marker), how axes look, how numbers are written on them.
#pragma once

#include "charts/chart_types.h"
#include "charts/qcp.h"
#include "theme/theme.h"

#include <QPainter>

namespace qw::ui {

struct LineStyle {
    QColor colour;
    Qt::PenStyle dash = Qt::SolidLine;
    int marker = 0; // shape
    [[nodiscard]] QPen pen(double width) const;
    // Pixels drawn and left out along x; off 0: solid.
    [[nodiscard]] std::pair<int, int> dashPixels() const;
};
[[nodiscard]] LineStyle lineStyle(const SeriesSpec& spec, const ThemeTable& theme);
[[nodiscard]] QColor mixed(const QColor& colour, const QColor& ground, double share); // share of the colour
void drawMarker(QPainter& painter, const QPointF& at, double size, const LineStyle& style, const QColor& ground);
// A short piece of the line with its marker, for legend and readout. Width in heights of a line: two dashes fit beside the marker.
constexpr double kSwatchWidth = 2.4;
void drawSwatch(QPainter& painter, const QRectF& rect, const LineStyle& style, const QColor& ground);

// Text on a ground of its own, readable above lines. The rectangle is the text's box.
void drawTag(QPainter& painter, const QRectF& box, const QString& text, const QColor& ink, const QColor& ground);

void styleAxes(QCustomPlot& plot, const ThemeTable& theme);
void setAxisLabels(QCustomPlot& plot, const QString& x, const QString& y);

// Ticks with as many digits as their distance needs, in the user's locale. Kind Count: whole numbers with k, M, G.
class NumberTicker : public QCPAxisTicker {
public:
    enum class Kind : uint8_t { Real, Count, Seconds };
    explicit NumberTicker(Kind kind) : m_kind(kind) {}

protected:
    double getTickStep(const QCPRange& range) override;
    QString getTickLabel(double tick, const QLocale& locale, QChar formatChar, int precision) override;

private:
    Kind m_kind;
    double m_step = 1;
};
// Ticks of a logarithmic axis: powers of ten, or plain numbers when few powers are in sight.
class LogTicker : public QCPAxisTickerLog {
protected:
    QVector<double> createTickVector(double tickStep, const QCPRange& range) override;
    int getSubTickCount(double tickStep) override;
    QString getTickLabel(double tick, const QLocale& locale, QChar formatChar, int precision) override;
};

[[nodiscard]] QString numberText(double value, int digits = 5); // of a readout: significant digits, "NaN", "∞"
[[nodiscard]] QString secondsText(double seconds);              // "1:02:03"
[[nodiscard]] QString xText(double x, ChartX axis);             // "step 1 240"

} // namespace qw::ui
