// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/chart_plot.h"

#include <QHelpEvent>
#include <QToolTip>
#include <cmath>

namespace qw::ui {
namespace {

const char* const kOverlay = "crosshair";

QString overlayName() { return QLatin1String(kOverlay); }

} // namespace

ChartPlot::ChartPlot(ChartData& data, QWidget* parent) : PlotBase(parent), m_data(data) {
    m_picture.theme = &Theme::instance().table();
    setMinimumSize(fontMetrics().averageCharWidth() * 20, fontMetrics().height() * 6);
    addLayer(overlayName(), layer(QStringLiteral("overlay")), limAbove);
    layer(overlayName())->setMode(QCPLayer::lmBuffered);
    layer(QStringLiteral("overlay"))->setMode(QCPLayer::lmLogical); // nothing is on it: no buffer to clear and to lay over
    new BandLayer(*this);                                           // layerables belong to the plot
    new LinesLayer(*this);
    new FlagLayer(*this);
    new OverlayLayer(*this, overlayName());
    setTickers();
    applyTheme(theme());
}

void ChartPlot::setTickers() {
    const ChartX axis = m_data.xAxis();
    xAxis->setTicker(
        QSharedPointer<QCPAxisTicker>(new NumberTicker(axis == ChartX::Time ? NumberTicker::Kind::Seconds : NumberTicker::Kind::Count)));
    yAxis->setScaleType(m_logY ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    if (m_logY)
        yAxis->setTicker(QSharedPointer<QCPAxisTicker>(new LogTicker));
    else
        yAxis->setTicker(QSharedPointer<QCPAxisTicker>(new NumberTicker(NumberTicker::Kind::Real)));
    xAxis->setLabel(axis == ChartX::Time ? tr("time since start") : axis == ChartX::Tokens ? tr("tokens") : tr("step"));
}

void ChartPlot::applyTheme(const ThemeTable& theme) {
    m_picture.theme = &theme;
    styleAxes(*this, theme);
    scheduleReplot();
}

std::optional<double> ChartPlot::xOfStep(const ChartCurve& curve, double step, ChartX axis) {
    if (axis == ChartX::Step) return step;
    if (curve.line->empty() || !curve.hasAxis(axis)) return std::nullopt;
    if (axis == ChartX::Tokens) return step * curve.spec.tokensPerStep;
    const ChartSeries& line = *curve.line;
    const size_t at = line.lowerBound(step, ChartX::Step, 0);
    if (at == 0) return line.seconds().front();
    if (at == line.size()) return line.seconds().back();
    const double before = line.steps()[at - 1], share = (step - before) / (line.steps()[at] - before);
    return line.seconds()[at - 1] + share * (line.seconds()[at] - line.seconds()[at - 1]);
}

std::optional<double> ChartPlot::xOfStep(double step) const {
    if (m_data.xAxis() == ChartX::Step) return step;
    for (const ChartCurve& curve : m_data.curves())
        if (ChartData::drawn(curve, m_data.xAxis())) return xOfStep(curve, step, m_data.xAxis());
    return std::nullopt;
}

std::optional<double> ChartPlot::stepAt(double x) const {
    std::optional<double> step;
    double nearest = std::numeric_limits<double>::infinity();
    for (const ChartCurve& curve : m_data.curves()) {
        if (!ChartData::drawn(curve, m_data.xAxis())) continue;
        const size_t i = curve.line->nearest(x, m_data.xAxis(), curve.spec.tokensPerStep);
        const double distance = std::abs(curve.x(i, m_data.xAxis()) - x);
        if (distance >= nearest) continue;
        nearest = distance;
        step = curve.line->steps()[i];
    }
    return step;
}

std::optional<double> ChartPlot::stepBeside(double step, int direction) const {
    std::optional<double> beside;
    for (const ChartCurve& curve : m_data.curves()) {
        if (!ChartData::drawn(curve, m_data.xAxis())) continue;
        const std::vector<double>& steps = curve.line->steps();
        std::optional<double> own;
        if (std::isnan(step)) {
            own = steps.back();
        } else if (direction > 0) {
            if (const auto at = std::upper_bound(steps.begin(), steps.end(), step); at != steps.end()) own = *at;
        } else if (const auto at = std::lower_bound(steps.begin(), steps.end(), step); at != steps.begin()) {
            own = *(at - 1);
        }
        const bool up = direction > 0 && !std::isnan(step);
        if (own && (!beside || (up ? *own < *beside : *own > *beside))) beside = own;
    }
    return beside;
}

PixelMap ChartPlot::pixelMap(double ratio) const {
    PixelMap map;
    const ChartWindow& w = m_range.window();
    map.xLower = w.xLower;
    map.xUpper = w.xUpper;
    map.yLower = w.yLower;
    map.yUpper = w.yUpper;
    map.width = std::max(1.0, axisRect()->width() * ratio);
    map.height = std::max(1.0, axisRect()->height() * ratio);
    map.up = ratio; // QCustomPlot counts from the last row inside, not from the edge below it
    map.log = m_logY;
    map.prepare();
    return map;
}

ChartWindow ChartPlot::dataWindow() const {
    ChartWindow window;
    if (const ChartData::Range x = m_data.xRange(); x.valid()) {
        const double room = x.upper > x.lower ? (x.upper - x.lower) * 0.01 : 0.5;
        window.xLower = x.lower - room;
        window.xUpper = x.upper + room;
    }
    const stats::Extent y = m_data.yExtent(window.xLower, window.xUpper);
    window.yLower = m_logY ? y.leastPositive : y.min;
    window.yUpper = y.max;
    ChartRange::padY(window, m_logY);
    return window;
}

void ChartPlot::prepare() {
    if (m_range.isFollowing()) m_range.fit(dataWindow());
    syncAxes();
    const bool numbers = m_data.xRange().valid() || m_picture.emptyText.isEmpty();
    for (QCPAxis* axis : {xAxis, yAxis}) {
        axis->setTickLabels(numbers);
        axis->setTicks(numbers);
        axis->grid()->setVisible(numbers);
    }
}

void ChartPlot::syncAxes() {
    const ChartWindow& w = m_range.window();
    xAxis->setRange(w.xLower, w.xUpper);
    yAxis->setRange(w.yLower, w.yUpper);
    xAxis2->setRange(xAxis->range());
    yAxis2->setRange(yAxis->range());
}

void ChartPlot::setLogY(bool on) {
    if (on == m_logY) return;
    m_logY = on;
    setTickers();
    ChartWindow window = m_range.window();
    const stats::Extent y = m_data.yExtent(window.xLower, window.xUpper);
    window.yLower = on ? y.leastPositive : y.min;
    window.yUpper = y.max;
    ChartRange::padY(window, on);
    m_range.setWindow(window);
    m_range.forget(); // windows of the other scale may not exist on this one
    scheduleReplot();
}

void ChartPlot::setUnit(const QString& unit) {
    yAxis->setLabel(unit);
    scheduleReplot();
}

void ChartPlot::axisChanged() {
    setTickers();
    const bool followed = m_range.isFollowing();
    m_range.reset(dataWindow());
    if (!followed) Q_EMIT followingChanged(true);
    scheduleReplot();
}

void ChartPlot::setFollowing(bool on) {
    if (on == m_range.isFollowing()) return;
    if (on)
        m_range.reset(dataWindow());
    else
        m_range.freeze(++m_gesture);
    Q_EMIT followingChanged(on);
    scheduleReplot();
}

void ChartPlot::resetZoom() {
    const bool followed = m_range.isFollowing();
    m_range.reset(dataWindow());
    if (!followed) Q_EMIT followingChanged(true);
    Q_EMIT windowChanged();
    scheduleReplot();
}

void ChartPlot::zoomBack() {
    const bool followed = m_range.isFollowing();
    m_range.back(dataWindow());
    if (followed != m_range.isFollowing()) Q_EMIT followingChanged(m_range.isFollowing());
    Q_EMIT windowChanged();
    scheduleReplot();
}

void ChartPlot::zoomBy(double factor) {
    double share = 0.5;
    const ChartWindow& w = m_range.window();
    if (const auto x = std::isnan(m_picture.crosshair) ? std::nullopt : xOfStep(m_picture.crosshair); x && *x > w.xLower && *x < w.xUpper)
        share = (*x - w.xLower) / (w.xUpper - w.xLower);
    userZoom(ChartRange::scaled(w, factor, 1, share, 0.5, m_logY), ++m_gesture);
}

void ChartPlot::setWindow(const ChartWindow& window) { userZoom(window, ++m_gesture); }

void ChartPlot::userZoom(const ChartWindow& window, int gesture) {
    const bool followed = m_range.isFollowing();
    m_range.zoom(window, gesture);
    if (followed && !m_range.isFollowing()) Q_EMIT followingChanged(false);
    Q_EMIT windowChanged();
    scheduleReplot();
}

void ChartPlot::setCrosshair(double step) {
    const auto x = std::isnan(step) ? std::nullopt : xOfStep(step);
    const auto snapped = x ? stepAt(*x) : std::nullopt;
    const double next = snapped.value_or(std::numeric_limits<double>::quiet_NaN());
    if (next == m_picture.crosshair || (std::isnan(next) && std::isnan(m_picture.crosshair))) return;
    m_picture.crosshair = next;
    drawOverlay();
}

void ChartPlot::togglePin(double step) {
    std::vector<double>& pins = m_picture.pins;
    if (std::erase(pins, step) == 0 && pins.size() < kMostPins) pins.push_back(step);
    drawOverlay();
    Q_EMIT pinsChanged();
}

void ChartPlot::drawOverlay() {
    if (isVisible() && isUpToDate()) layer(overlayName())->replot();
}

void ChartPlot::paintInto(QCPPainter& painter, const QSize& size, const ThemeTable& theme) {
    const ThemeTable* const shown = m_picture.theme;
    const double crosshair = std::exchange(m_picture.crosshair, std::numeric_limits<double>::quiet_NaN());
    prepare();
    m_picture.theme = &theme;
    styleAxes(*this, theme);
    toPainter(&painter, size.width(), size.height());
    m_picture.theme = shown;
    m_picture.crosshair = crosshair;
    styleAxes(*this, *shown);
    scheduleReplot();
}

} // namespace qw::ui
