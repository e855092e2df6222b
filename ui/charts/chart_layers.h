// SPDX-License-Identifier: GPL-3.0-or-later
// What: what a chart draws itself, from back to front: bands on x, the lines, flags and marks, the crosshair with the pins.
#pragma once

#include "charts/column_canvas.h"
#include "charts/qcp.h"

namespace qw::ui {

class ChartPlot;

class BandLayer final : public QCPLayerable {
    Q_OBJECT
public:
    explicit BandLayer(ChartPlot& plot);

protected:
    [[nodiscard]] QRect clipRect() const override;
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;

private:
    ChartPlot& m_plot;
};

class LinesLayer final : public QCPLayerable {
    Q_OBJECT
public:
    explicit LinesLayer(ChartPlot& plot);

protected:
    [[nodiscard]] QRect clipRect() const override;
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;

private:
    void drawLine(QCPPainter& painter, const ChartCurve& curve, Values values, const QColor& colour, double width);
    void drawBand(QCPPainter& painter, const ChartCurve& curve, const QColor& colour);
    void drawMarkers(QCPPainter& painter, const ChartCurve& curve);
    void flush(QCPPainter& painter); // what the canvas holds, before the painter draws over it
    ChartPlot& m_plot;
    PixelMap m_map, m_deviceMap; // logical and device pixels of the plot's inside
    ColumnCanvas m_canvas;
    bool m_canvasUsed = false;
    bool m_vector = false, m_strokes = false; // a page; strokes instead of columns
    double m_ratio = 1;
    std::vector<ColumnSpan> m_spans, m_edges;
};

class FlagLayer final : public QCPLayerable {
    Q_OBJECT
public:
    explicit FlagLayer(ChartPlot& plot);

protected:
    [[nodiscard]] QRect clipRect() const override;
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;

private:
    void drawBandLabels(QCPPainter& painter);
    void drawNonFinite(QCPPainter& painter, const ChartCurve& curve, const QRectF& inside);
    ChartPlot& m_plot;
};

// Its own paint buffer: moving the crosshair does not draw the lines again.
class OverlayLayer final : public QCPLayerable {
    Q_OBJECT
public:
    OverlayLayer(ChartPlot& plot, const QString& layer);

protected:
    [[nodiscard]] QRect clipRect() const override;
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;

private:
    void drawVertical(QCPPainter& painter, double step, const QPen& pen, const QString& label);
    ChartPlot& m_plot;
};

} // namespace qw::ui
