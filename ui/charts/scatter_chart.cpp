// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/scatter_chart.h"

#include "charts/chart_style.h"
#include "charts/plot_base.h"

#include <QKeyEvent>
#include <algorithm>
#include <cmath>

namespace qw::ui {
namespace {

LineStyle styleOf(const ScatterPoint& point, const ThemeTable& theme, bool faint) {
    SeriesSpec spec;
    spec.colour = point.colour;
    LineStyle style = lineStyle(spec, theme);
    if (faint) style.colour = mixed(style.colour, theme[Token::Base], 0.45);
    return style;
}

bool finite(const ScatterPoint& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

} // namespace

ScatterChart::ScatterChart(const QString& name, QWidget* parent) : PlainChart(name, parent) {
    for (QCPAxis* axis : {plot().xAxis, plot().yAxis})
        axis->setTicker(QSharedPointer<QCPAxisTicker>(new NumberTicker(NumberTicker::Kind::Real)));
    new PaintLayer(plot(), QStringLiteral("main"), true, [this](QCPPainter& painter) {
        paintFrontier(painter);
        paintPoints(painter);
        paintLabels(painter);
    });
    const auto clicked = [this](QMouseEvent* event, bool twice) {
        const ScatterPoint* point = event->button() == Qt::LeftButton ? pointAt(event->position()) : nullptr;
        if (!point) return;
        const QString id = point->id;
        select(id);
        if (twice)
            Q_EMIT pointActivated(id);
        else
            Q_EMIT pointClicked(id);
    };
    connect(&plot(), &QCustomPlot::mousePress, this, [clicked](QMouseEvent* event) { clicked(event, false); });
    connect(&plot(), &QCustomPlot::mouseDoubleClick, this, [clicked](QMouseEvent* event) { clicked(event, true); });
}

void ScatterChart::setAxes(const QString& xLabel, stats::Better x, const QString& yLabel, stats::Better y) {
    m_xLabel = xLabel;
    m_yLabel = yLabel;
    m_xBetter = x;
    m_yBetter = y;
    const auto better = [](const QString& label, stats::Better way) {
        return way == stats::Better::Lower ? tr("%1 (lower is better)").arg(label) : tr("%1 (higher is better)").arg(label);
    };
    setAxisLabels(plot(), better(xLabel, x), better(yLabel, y));
    refresh();
}

void ScatterChart::setPoints(std::vector<ScatterPoint> points) {
    m_points = std::move(points);
    refresh();
}

void ScatterChart::refresh() {
    std::vector<stats::Candidate> candidates;
    for (const ScatterPoint& point : m_points) candidates.push_back({point.x, point.y});
    m_front = stats::paretoFront(candidates, m_xBetter, m_yBetter);
    double x0 = std::numeric_limits<double>::infinity(), x1 = -x0, y0 = x0, y1 = -x0;
    QStringList words;
    for (const ScatterPoint& point : m_points) {
        if (!finite(point)) continue;
        x0 = std::min(x0, point.x);
        x1 = std::max(x1, point.x);
        for (const double y : {point.y, point.yLower, point.yUpper})
            if (std::isfinite(y)) y0 = std::min(y0, y), y1 = std::max(y1, y);
        words << tr("%1: %2, %3").arg(point.label, numberText(point.x, 4), numberText(point.y, 4));
    }
    if (!(x0 <= x1)) x0 = y0 = 0, x1 = y1 = 1;
    const auto room = [](double lower, double upper) {
        return upper > lower ? (upper - lower) * 0.12 : std::max(std::abs(upper) * 0.1, 1e-9);
    };
    const double rx = room(x0, x1), ry = room(y0, y1);
    plot().xAxis->setRange(x0 - rx, x1 + rx);
    plot().yAxis->setRange(y0 - ry, y1 + ry);
    plot().xAxis2->setRange(plot().xAxis->range());
    plot().yAxis2->setRange(plot().yAxis->range());
    setWords(words.isEmpty() ? tr("%1, no data").arg(title())
                             : tr("%1, %2 against %3; %4; on the frontier: %5")
                                   .arg(title(), m_yLabel, m_xLabel, words.join(QStringLiteral("; ")))
                                   .arg(m_front.size()));
    plot().scheduleReplot();
}

std::vector<QString> ScatterChart::frontier() const {
    std::vector<QString> ids;
    for (const size_t i : m_front) ids.push_back(m_points[i].id);
    return ids;
}

bool ScatterChart::onFrontier(size_t i) const { return std::find(m_front.begin(), m_front.end(), i) != m_front.end(); }

QPointF ScatterChart::pixel(const ScatterPoint& point) const {
    return {plot().xAxis->coordToPixel(point.x), plot().yAxis->coordToPixel(point.y)};
}

void ScatterChart::paintFrontier(QCPPainter& painter) const {
    QPolygonF line;
    for (const size_t i : m_front) line << pixel(m_points[i]);
    QPen pen(theme()[Token::Accent], 1.5);
    pen.setDashPattern({5, 3});
    painter.setPen(pen);
    painter.drawPolyline(line);
}

void ScatterChart::paintPoints(QCPPainter& painter) const {
    const double size = plot().fontMetrics().height() * 0.75;
    for (size_t i = 0; i < m_points.size(); ++i) {
        const ScatterPoint& point = m_points[i];
        if (!finite(point)) continue;
        const LineStyle style = styleOf(point, theme(), !onFrontier(i));
        const QPointF at = pixel(point);
        if (std::isfinite(point.yLower) && std::isfinite(point.yUpper)) {
            const double low = plot().yAxis->coordToPixel(point.yLower), high = plot().yAxis->coordToPixel(point.yUpper);
            painter.setPen(QPen(style.colour, 1.5));
            painter.drawLine(QPointF(at.x(), low), QPointF(at.x(), high));
            for (const double y : {low, high}) painter.drawLine(QPointF(at.x() - size / 3, y), QPointF(at.x() + size / 3, y));
        }
        drawMarker(painter, at, size, style, theme()[Token::Base]);
        if (point.id != m_selected || point.id.isEmpty()) continue;
        painter.setPen(QPen(theme()[Token::Accent], 2));
        painter.drawEllipse(at, size, size);
    }
}

void ScatterChart::paintLabels(QCPPainter& painter) const {
    painter.setFont(plot().xAxis->tickLabelFont());
    const QFontMetricsF metrics(painter.font());
    const QRectF inside = plot().axisRect()->rect();
    const double gap = metrics.height() * 0.8;
    std::vector<QRectF> taken;
    for (const ScatterPoint& point : m_points)
        if (finite(point)) taken.emplace_back(pixel(point) - QPointF(gap, gap) / 2, QSizeF(gap, gap));
    for (size_t i = 0; i < m_points.size(); ++i) {
        const ScatterPoint& point = m_points[i];
        if (!finite(point)) continue;
        const QPointF at = pixel(point);
        const QSizeF size(metrics.horizontalAdvance(point.label), metrics.height());
        // Above, below, right, left: the first place that is free; none: the tooltip still names it.
        const QPointF places[] = {{at.x() - size.width() / 2, at.y() - gap - size.height()},
                                  {at.x() - size.width() / 2, at.y() + gap},
                                  {at.x() + gap, at.y() - size.height() / 2},
                                  {at.x() - gap - size.width(), at.y() - size.height() / 2}};
        for (const QPointF& corner : places) {
            const QRectF label(corner, size);
            const bool hits = std::any_of(taken.begin(), taken.end(), [&](const QRectF& other) { return other.intersects(label); });
            if (hits || !inside.contains(label)) continue;
            taken.push_back(label);
            drawTag(painter, label, point.label, theme()[onFrontier(i) ? Token::Text : Token::Muted], theme()[Token::Base]);
            break;
        }
    }
}

const ScatterPoint* ScatterChart::pointAt(const QPointF& at) const {
    const ScatterPoint* found = nullptr;
    double nearest = plot().fontMetrics().height(); // as far as a finger's breadth
    for (const ScatterPoint& point : m_points) {
        if (!finite(point)) continue;
        const QPointF away = pixel(point) - at;
        const double distance = std::hypot(away.x(), away.y());
        if (distance >= nearest) continue;
        nearest = distance;
        found = &point;
    }
    return found;
}

QString ScatterChart::tipAt(const QPointF& at) const {
    const ScatterPoint* point = pointAt(at);
    if (!point) return {};
    QString text = tr("%1\n%2 %3\n%4 %5").arg(point->label, m_xLabel, numberText(point->x), m_yLabel, numberText(point->y));
    if (std::isfinite(point->yLower)) text += tr(" (95 %: %1 to %2)").arg(numberText(point->yLower), numberText(point->yUpper));
    return point->tip.isEmpty() ? text : text + QLatin1Char('\n') + point->tip;
}

void ScatterChart::select(const QString& id) {
    if (id == m_selected) return;
    m_selected = id;
    plot().scheduleReplot();
}

void ScatterChart::keyPressEvent(QKeyEvent* event) {
    const int key = event->key();
    if ((key == Qt::Key_Return || key == Qt::Key_Enter) && !m_selected.isEmpty()) {
        Q_EMIT pointActivated(m_selected);
        return;
    }
    const int by = key == Qt::Key_Right ? 1 : key == Qt::Key_Left ? -1 : 0;
    std::vector<const ScatterPoint*> order;
    for (const ScatterPoint& point : m_points)
        if (finite(point)) order.push_back(&point);
    if (by == 0 || order.empty()) return QWidget::keyPressEvent(event);
    std::stable_sort(order.begin(), order.end(), [](const ScatterPoint* a, const ScatterPoint* b) { return a->x < b->x; });
    const auto now = std::find_if(order.begin(), order.end(), [&](const ScatterPoint* p) { return p->id == m_selected; });
    const auto last = static_cast<std::ptrdiff_t>(order.size()) - 1;
    const std::ptrdiff_t next = now == order.end() ? (by > 0 ? 0 : last) : std::clamp<std::ptrdiff_t>(now - order.begin() + by, 0, last);
    const QString id = order[static_cast<size_t>(next)]->id;
    select(id);
    Q_EMIT pointClicked(id);
}

} // namespace qw::ui
