// SPDX-License-Identifier: GPL-3.0-or-later
// What: a histogram of weights with the grid of a scheme drawn in and the clipped tails shaded.
// Limits: shows the bins it is given, exactly; it never re-bins.
#pragma once

#include "charts/plain_chart.h"

#include <vector>

class QCPPainter;

namespace qw::ui {

struct HistogramFacts {
    double lower = 0, upper = 1;                  // of the first and the last bin; bins of equal width
    std::vector<double> before;                   // counts of the plain weights: an outline
    std::vector<double> after;                    // counts of the quantized weights: filled; empty: none
    std::vector<double> levels;                   // of the grid, ticks at the foot
    double clipLower = -1e300, clipUpper = 1e300; // what lies outside is clipped
    double clippedPercent = 0;                    // measured, not read off the bins
    QString note;                                 // "synthetic weights", "fake-quantized; master weights are float"
};

class HistogramChart : public PlainChart {
    Q_OBJECT
public:
    explicit HistogramChart(const QString& name, QWidget* parent = nullptr);
    void setXLabel(const QString& label);
    void setLogCounts(bool on);
    void setFacts(const HistogramFacts& facts);
    void clear() { setFacts({}); }
    [[nodiscard]] const HistogramFacts& facts() const { return m_facts; }

protected:
    void styled() override;
    [[nodiscard]] QString tipAt(const QPointF& at) const override;

private:
    void paintBins(QCPPainter& painter) const;
    void paintGrid(QCPPainter& painter) const;
    void fitAxes();
    [[nodiscard]] double edge(size_t bin) const; // left edge
    HistogramFacts m_facts;
    bool m_log = false;
};

} // namespace qw::ui
