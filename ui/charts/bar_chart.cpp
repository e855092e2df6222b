// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/bar_chart.h"

#include "charts/chart_style.h"
#include "charts/plot_base.h"

#include <QKeyEvent>
#include <QLocale>
#include <algorithm>
#include <cmath>

namespace qw::ui {
namespace {

constexpr double kHalfBar = 0.32; // of a row's height
constexpr qsizetype kLongestLabel = 32;

SeriesSpec specOf(int colour) {
    SeriesSpec spec;
    spec.colour = colour;
    return spec;
}

} // namespace

BarChart::BarChart(const QString& name, QWidget* parent) : PlainChart(name, parent) {
    plot().xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new NumberTicker(NumberTicker::Kind::Real)));
    plot().yAxis->setRangeReversed(true); // the first bar on top
    plot().yAxis2->setRangeReversed(true);
    new PaintLayer(plot(), QStringLiteral("main"), true, [this](QCPPainter& painter) { paintBars(painter); });
    new PaintLayer(plot(), QStringLiteral("axes"), true, [this](QCPPainter& painter) {
        paintReference(painter);
        paintValues(painter);
    });
    styled();
    connect(&plot(), &QCustomPlot::mousePress, this, [this](QMouseEvent* event) {
        const Bar* bar = barAt(event->position());
        if (!bar || event->button() != Qt::LeftButton) return;
        const QString id = bar->id;
        select(id);
        Q_EMIT barClicked(id);
    });
}

void BarChart::styled() {
    plot().yAxis->grid()->setPen(Qt::NoPen); // rows need no lines between them
    plot().yAxis->setTickPen(Qt::NoPen);
    plot().yAxis->setSubTicks(false);
    plot().yAxis->setTickLabelColor(theme()[Token::Text]);
}

void BarChart::setUnit(const QString& unit) {
    plot().xAxis->setLabel(unit);
    plot().scheduleReplot();
}

void BarChart::setBars(std::vector<Bar> bars) {
    m_bars = std::move(bars);
    auto* ticker = new QCPAxisTickerText;
    QStringList words;
    for (size_t i = 0; i < m_bars.size(); ++i) {
        const QString& label = m_bars[i].label;
        ticker->addTick(static_cast<double>(i), label.size() > kLongestLabel ? label.left(kLongestLabel - 1) + QChar(0x2026) : label);
        words << tr("%1 %2").arg(label, numberText(m_bars[i].value));
    }
    plot().yAxis->setTicker(QSharedPointer<QCPAxisTicker>(ticker));
    setWords(words.isEmpty() ? tr("%1, no data").arg(title()) : tr("%1: %2").arg(title(), words.join(QStringLiteral(", "))));
    fitAxes();
}

void BarChart::setReference(double value, const QString& label) {
    m_reference = value;
    m_referenceLabel = label;
    fitAxes();
}

void BarChart::setFromZero(bool on) {
    m_fromZero = on;
    fitAxes();
}

void BarChart::fitAxes() {
    double least = std::numeric_limits<double>::infinity(), most = -least;
    const auto take = [&](double v) {
        if (!std::isfinite(v)) return;
        least = std::min(least, v);
        most = std::max(most, v);
    };
    for (const Bar& bar : m_bars)
        for (const double v : {bar.value, bar.lower, bar.upper}) take(v);
    take(m_reference);
    if (m_fromZero) take(0);
    if (!(least <= most)) least = 0, most = 1;
    double room = most > least ? (most - least) * 0.05 : std::max(std::abs(most) * 0.1, 0.5);
    // Room for the value behind the longest whisker.
    plot().xAxis->setRange(m_fromZero && least == 0 ? 0 : least - room, most + 5 * room);
    plot().xAxis2->setRange(plot().xAxis->range());
    plot().yAxis->setRange(-0.6, std::max(0.6, static_cast<double>(m_bars.size()) - 0.4));
    plot().yAxis2->setRange(plot().yAxis->range());
    plot().scheduleReplot();
}

void BarChart::paintBars(QCPPainter& painter) const {
    QCPAxis *const x = plot().xAxis, *const y = plot().yAxis;
    const double row = std::abs(y->coordToPixel(1) - y->coordToPixel(0)),
                 half = std::min(row * kHalfBar, plot().fontMetrics().height() * 1.0);
    const double zero = x->coordToPixel(std::max(0.0, x->range().lower));
    painter.setFont(plot().font());
    for (size_t i = 0; i < m_bars.size(); ++i) {
        const Bar& bar = m_bars[i];
        if (!std::isfinite(bar.value)) continue;
        LineStyle style = lineStyle(specOf(bar.colour), theme());
        if (bar.faint) style.colour = mixed(style.colour, theme()[Token::Base], 0.4);
        const double middle = y->coordToPixel(static_cast<double>(i)), at = x->coordToPixel(bar.value);
        if (bar.id == m_selected && !bar.id.isEmpty())
            painter.fillRect(QRectF(x->axisRect()->left(), middle - row / 2, x->axisRect()->width(), row), theme()[Token::Selection]);
        if (m_fromZero) {
            const QRectF body = QRectF(QPointF(zero, middle - half), QPointF(at, middle + half)).normalized();
            painter.setAntialiasing(false);
            painter.fillRect(body, mixed(style.colour, theme()[Token::Base], 0.75));
            painter.setAntialiasing(true);
        } else {
            drawMarker(painter, QPointF(at, middle), plot().fontMetrics().height() * 0.7, style, theme()[Token::Base]);
        }
        if (std::isfinite(bar.lower) && std::isfinite(bar.upper)) {
            const double left = x->coordToPixel(bar.lower), right = x->coordToPixel(bar.upper), cap = half * 0.5;
            painter.setPen(QPen(m_fromZero ? theme()[Token::Text] : style.colour, 1.5));
            painter.drawLine(QPointF(left, middle), QPointF(right, middle));
            for (const double px : {left, right}) painter.drawLine(QPointF(px, middle - cap), QPointF(px, middle + cap));
        }
    }
}

void BarChart::paintValues(QCPPainter& painter) const {
    painter.setFont(plot().font());
    const QFontMetricsF metrics(painter.font());
    double most = 0;
    for (const Bar& bar : m_bars)
        if (std::isfinite(bar.value)) most = std::max(most, std::abs(bar.value));
    // All with as many decimals as give the largest four digits: a column of numbers is read as one.
    const int decimals = most > 0 ? std::clamp(3 - static_cast<int>(std::floor(std::log10(most))), 0, 6) : 2;
    for (size_t i = 0; i < m_bars.size(); ++i) {
        const Bar& bar = m_bars[i];
        if (!std::isfinite(bar.value)) continue;
        const double end = plot().xAxis->coordToPixel(std::isfinite(bar.upper) ? std::max(bar.upper, bar.value) : std::max(bar.value, 0.0));
        const QString text = QLocale().toString(bar.value, 'f', decimals);
        const QRectF box(end + metrics.height() * 0.7, plot().yAxis->coordToPixel(static_cast<double>(i)) - metrics.height() / 2,
                         metrics.horizontalAdvance(text), metrics.height());
        const bool selected = bar.id == m_selected && !bar.id.isEmpty();
        drawTag(painter, box, text, theme()[bar.faint ? Token::Muted : Token::Text], theme()[selected ? Token::Selection : Token::Base]);
    }
}

void BarChart::paintReference(QCPPainter& painter) const {
    if (!std::isfinite(m_reference)) return;
    const QRectF inside = plot().axisRect()->rect();
    const double px = std::round(plot().xAxis->coordToPixel(m_reference)) + 0.5;
    QPen pen(theme()[Token::Accent], 1.5);
    pen.setDashPattern({4, 3});
    painter.setPen(pen);
    painter.drawLine(QPointF(px, inside.top()), QPointF(px, inside.bottom()));
    if (m_referenceLabel.isEmpty()) return;
    painter.setFont(plot().xAxis->tickLabelFont());
    const QFontMetricsF metrics(painter.font());
    const double width = metrics.horizontalAdvance(m_referenceLabel) + metrics.height() / 2;
    const double left = px + width > inside.right() ? px - width : px;
    const QRectF tag(left, inside.bottom() - metrics.height() * 1.2, width, metrics.height() * 1.2);
    drawTag(painter, tag, m_referenceLabel, theme()[Token::Accent], theme()[Token::Base]);
}

const Bar* BarChart::barAt(const QPointF& at) const {
    const double row = std::round(plot().yAxis->pixelToCoord(at.y()));
    return row >= 0 && row < static_cast<double>(m_bars.size()) ? &m_bars[static_cast<size_t>(row)] : nullptr;
}

QString BarChart::tipAt(const QPointF& at) const {
    const Bar* bar = barAt(at);
    if (!bar) return {};
    QString text = tr("%1: %2").arg(bar->label, numberText(bar->value));
    if (std::isfinite(bar->lower)) text += tr(" (95 %: %1 to %2)").arg(numberText(bar->lower), numberText(bar->upper));
    return bar->tip.isEmpty() ? text : text + QLatin1Char('\n') + bar->tip;
}

void BarChart::select(const QString& id) {
    if (id == m_selected) return;
    m_selected = id;
    plot().scheduleReplot();
}

void BarChart::keyPressEvent(QKeyEvent* event) {
    const int by = event->key() == Qt::Key_Down ? 1 : event->key() == Qt::Key_Up ? -1 : 0;
    if (m_bars.empty() || by == 0) return QWidget::keyPressEvent(event);
    const auto now = std::find_if(m_bars.begin(), m_bars.end(), [&](const Bar& bar) { return bar.id == m_selected; });
    const auto count = static_cast<std::ptrdiff_t>(m_bars.size());
    const std::ptrdiff_t next =
        now == m_bars.end() ? (by > 0 ? 0 : count - 1) : std::clamp<std::ptrdiff_t>(now - m_bars.begin() + by, 0, count - 1);
    const QString id = m_bars[static_cast<size_t>(next)].id;
    select(id);
    Q_EMIT barClicked(id);
}

} // namespace qw::ui
