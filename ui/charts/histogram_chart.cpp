// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/histogram_chart.h"

#include "charts/chart_style.h"
#include "charts/plot_base.h"

#include <QLocale>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace qw::ui {
namespace {

constexpr double kLeastLog = 0.5; // foot of a logarithmic axis: a bin of one is still a bar
constexpr int kLevelsFullHeight = 20;

} // namespace

HistogramChart::HistogramChart(const QString& name, QWidget* parent) : PlainChart(name, parent) {
    plot().xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new NumberTicker(NumberTicker::Kind::Real)));
    new PaintLayer(plot(), QStringLiteral("main"), true, [this](QCPPainter& painter) { paintBins(painter); });
    new PaintLayer(plot(), QStringLiteral("axes"), true, [this](QCPPainter& painter) { paintGrid(painter); });
    setLogCounts(false);
}

void HistogramChart::setXLabel(const QString& label) {
    plot().xAxis->setLabel(label);
    plot().scheduleReplot();
}

void HistogramChart::setLogCounts(bool on) {
    m_log = on;
    plot().yAxis->setScaleType(on ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    plot().yAxis->setTicker(
        QSharedPointer<QCPAxisTicker>(on ? static_cast<QCPAxisTicker*>(new LogTicker) : new NumberTicker(NumberTicker::Kind::Count)));
    plot().yAxis->setLabel(tr("weights"));
    fitAxes();
}

void HistogramChart::setFacts(const HistogramFacts& facts) {
    m_facts = facts;
    fitAxes();
    const double total = std::accumulate(facts.before.begin(), facts.before.end(), 0.0);
    setWords(total == 0 ? tr("%1, no data").arg(title())
                        : tr("%1: %2 weights from %3 to %4 in %5 bins, %6 grid levels, %7 % clipped")
                              .arg(title(), QLocale().toString(total, 'f', 0), numberText(facts.lower, 3), numberText(facts.upper, 3))
                              .arg(facts.before.size())
                              .arg(facts.levels.size())
                              .arg(QLocale().toString(facts.clippedPercent, 'f', 2)));
}

void HistogramChart::fitAxes() {
    double most = 1;
    for (const auto* bins : {&m_facts.before, &m_facts.after})
        for (const double count : *bins) most = std::max(most, count);
    plot().yAxis->setRange(m_log ? kLeastLog : 0, m_log ? most * 2 : most * 1.12);
    if (m_facts.upper > m_facts.lower) plot().xAxis->setRange(m_facts.lower, m_facts.upper);
    plot().xAxis2->setRange(plot().xAxis->range());
    plot().scheduleReplot();
}

void HistogramChart::styled() { plot().scheduleReplot(); }

double HistogramChart::edge(size_t bin) const {
    return m_facts.lower + (m_facts.upper - m_facts.lower) * static_cast<double>(bin) / static_cast<double>(m_facts.before.size());
}

void HistogramChart::paintBins(QCPPainter& painter) const {
    if (m_facts.before.empty()) return;
    const QRectF inside = plot().axisRect()->rect();
    const auto y = [&](double count) {
        return count <= 0 || (m_log && count < kLeastLog) ? inside.bottom() + 1 : plot().yAxis->coordToPixel(count);
    };
    QCPAxis* const x = plot().xAxis;
    const QColor fill = theme().series[0];
    painter.setAntialiasing(false);
    for (size_t b = 0; b < m_facts.after.size(); ++b) {
        const double left = x->coordToPixel(edge(b)), right = std::max(left + 1, x->coordToPixel(edge(b + 1)));
        painter.fillRect(QRectF(QPointF(left, y(m_facts.after[b])), QPointF(right, inside.bottom() + 1)),
                         mixed(fill, theme()[Token::Base], 0.7));
    }
    // The outline of the plain weights, as steps; filled faintly when nothing else is shown.
    QPolygonF outline{QPointF(x->coordToPixel(edge(0)), inside.bottom() + 1)};
    for (size_t b = 0; b < m_facts.before.size(); ++b)
        outline << QPointF(x->coordToPixel(edge(b)), y(m_facts.before[b])) << QPointF(x->coordToPixel(edge(b + 1)), y(m_facts.before[b]));
    outline << QPointF(x->coordToPixel(edge(m_facts.before.size())), inside.bottom() + 1);
    painter.setPen(QPen(m_facts.after.empty() ? fill : theme()[Token::Text], 1));
    painter.setBrush(m_facts.after.empty() ? QBrush(mixed(fill, theme()[Token::Base], 0.45)) : QBrush(Qt::NoBrush));
    painter.drawPolygon(outline);
    painter.setBrush(Qt::NoBrush);
}

void HistogramChart::paintGrid(QCPPainter& painter) const {
    const QRectF inside = plot().axisRect()->rect();
    QCPAxis* const x = plot().xAxis;
    const double tick = plot().fontMetrics().height() * 0.5;
    painter.setAntialiasing(false);
    for (const bool low : {true, false}) { // clipped tails: hatched and tinted
        const double at = std::clamp(x->coordToPixel(low ? m_facts.clipLower : m_facts.clipUpper), inside.left(), inside.right() + 1);
        const QRectF tail = low ? QRectF(inside.topLeft(), QPointF(at, inside.bottom() + 1))
                                : QRectF(QPointF(at, inside.top()), QPointF(inside.right() + 1, inside.bottom() + 1));
        if (tail.width() < 1) continue;
        QColor tint = theme()[Token::Bad];
        tint.setAlphaF(0.12F);
        painter.fillRect(tail, tint);
        tint.setAlphaF(0.5F);
        painter.fillRect(tail, QBrush(tint, Qt::BDiagPattern));
        painter.setPen(QPen(theme()[Token::Bad], 1));
        painter.drawLine(QPointF(at, inside.top()), QPointF(at, inside.bottom()));
    }
    const bool whole = m_facts.levels.size() <= kLevelsFullHeight;
    QColor line = theme()[Token::Warning];
    for (const double level : m_facts.levels) {
        const double px = std::round(x->coordToPixel(level));
        if (whole) {
            line.setAlphaF(0.35F);
            painter.setPen(QPen(line, 1, Qt::DotLine));
            painter.drawLine(QPointF(px, inside.top()), QPointF(px, inside.bottom()));
        }
        line.setAlphaF(1);
        painter.setPen(QPen(line, 2));
        painter.drawLine(QPointF(px, inside.bottom() - tick), QPointF(px, inside.bottom()));
    }
    painter.setFont(plot().font());
    const QFontMetricsF metrics(painter.font());
    const auto tag = [&](const QString& text, double left, const QColor& ink) {
        drawTag(painter, QRectF(left, inside.top() + tick / 2, metrics.horizontalAdvance(text), metrics.height()), text, ink,
                theme()[Token::Base]);
    };
    if (!m_facts.note.isEmpty()) tag(m_facts.note, inside.left() + tick, theme()[Token::Muted]);
    if (m_facts.clippedPercent <= 0) return;
    const QString clipped = tr("clipped %1 %").arg(QLocale().toString(m_facts.clippedPercent, 'f', 2));
    tag(clipped, inside.right() - tick - metrics.horizontalAdvance(clipped), theme()[Token::Bad]);
}

QString HistogramChart::tipAt(const QPointF& at) const {
    if (m_facts.before.empty() || !QRectF(plot().axisRect()->rect()).contains(at)) return {};
    const double share = (plot().xAxis->pixelToCoord(at.x()) - m_facts.lower) / (m_facts.upper - m_facts.lower);
    const auto bin = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(m_facts.before.size()));
    if (bin >= m_facts.before.size()) return {};
    QString text = tr("%1 to %2\n%3 weights").arg(numberText(edge(bin)), numberText(edge(bin + 1)), numberText(m_facts.before[bin]));
    if (bin < m_facts.after.size()) text += tr("\n%1 after quantization").arg(numberText(m_facts.after[bin]));
    return text;
}

} // namespace qw::ui
