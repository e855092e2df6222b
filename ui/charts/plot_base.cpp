// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/plot_base.h"

#include <algorithm>

namespace qw::ui {
namespace {
constexpr int kFrameMs = 33; // 30 frames a second
}

PlotBase::PlotBase(QWidget* parent) : QCustomPlot(parent) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setPlottingHint(QCP::phCacheLabels);
    axisRect()->setupFullAxesBox();
    for (QCPAxis* axis : {xAxis2, yAxis2}) {
        axis->setTicks(false);
        axis->setTickLabels(false);
    }
    m_replotTimer.setSingleShot(true);
    connect(&m_replotTimer, &QTimer::timeout, this, [this] {
        if (isVisible()) replotNow(); // hidden in the meantime: it stays due until the plot shows again
    });
    // Labels of up to five digits leave the frame where it is.
    axisRect()->setMinimumMargins(QMargins(fontMetrics().averageCharWidth() * 7, 0, 0, 0));
}

void PlotBase::scheduleReplot() {
    m_dirty = true;
    if (!isVisible() || m_replotTimer.isActive()) return;
    const qint64 since = m_sinceReplot.isValid() ? m_sinceReplot.elapsed() : kFrameMs;
    m_replotTimer.start(static_cast<int>(std::clamp<qint64>(kFrameMs - since, 0, kFrameMs)));
}

void PlotBase::replotNow() {
    m_replotTimer.stop();
    m_sinceReplot.start();
    prepare();
    fitTicks();
    m_dirty = false;
    replot(QCustomPlot::rpQueuedRefresh);
    Q_EMIT drawn();
}

// As many numbers at the y axis as stand apart; the step that is rounded for them may make half as many again.
void PlotBase::fitTicks() {
    const double line = fontMetrics().height();
    yAxis->ticker()->setTickCount(std::clamp(static_cast<int>((height() - 3 * line) / (1.8 * line)), 3, 5));
}

void PlotBase::followPixelRatio() {
    if (bufferDevicePixelRatio() == devicePixelRatioF()) return;
    setBufferDevicePixelRatio(devicePixelRatioF());
    m_dirty = true;
}

void PlotBase::paintEvent(QPaintEvent* event) {
    followPixelRatio();
    if (m_dirty && !m_replotTimer.isActive()) replotNow();
    QCustomPlot::paintEvent(event);
}

void PlotBase::resizeEvent(QResizeEvent* event) {
    followPixelRatio();
    fitTicks();
    QCustomPlot::resizeEvent(event); // draws everything for the new size
}

void PlotBase::showEvent(QShowEvent* event) {
    QCustomPlot::showEvent(event);
    followPixelRatio();
    if (m_dirty) scheduleReplot();
}

PaintLayer::PaintLayer(QCustomPlot& plot, const QString& layer, bool clipped, Paint paint)
    : QCPLayerable(&plot, layer), m_clipped(clipped), m_paint(std::move(paint)) {}

QRect PaintLayer::clipRect() const { return m_clipped ? parentPlot()->axisRect()->rect() : parentPlot()->viewport(); }
void PaintLayer::applyDefaultAntialiasingHint(QCPPainter* painter) const { painter->setAntialiasing(true); }
void PaintLayer::draw(QCPPainter* painter) { m_paint(*painter); }

} // namespace qw::ui
