// SPDX-License-Identifier: GPL-3.0-or-later
// What: QCustomPlot that follows its screen's pixel ratio and draws at most 30 times a second, and not at all while hidden.
// Limits: inside ui/charts only.
#pragma once

#include "charts/qcp.h"

#include <QElapsedTimer>
#include <QTimer>
#include <functional>

namespace qw::ui {

class PlotBase : public QCustomPlot {
    Q_OBJECT
public:
    explicit PlotBase(QWidget* parent = nullptr);
    void scheduleReplot();
    void replotNow();

Q_SIGNALS:
    void drawn();

protected:
    virtual void prepare() {} // before a frame: ranges that follow the data
    [[nodiscard]] bool isUpToDate() const { return !m_dirty && !m_replotTimer.isActive(); }
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void followPixelRatio();
    void fitTicks();
    QTimer m_replotTimer;
    QElapsedTimer m_sinceReplot;
    bool m_dirty = true;
};

// A layer that is one function.
class PaintLayer final : public QCPLayerable {
    Q_OBJECT
public:
    using Paint = std::function<void(QCPPainter&)>;
    PaintLayer(QCustomPlot& plot, const QString& layer, bool clipped, Paint paint);

protected:
    [[nodiscard]] QRect clipRect() const override;
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;

private:
    bool m_clipped;
    Paint m_paint;
};

} // namespace qw::ui
