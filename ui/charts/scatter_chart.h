// SPDX-License-Identifier: GPL-3.0-or-later
// What: candidates as points (x: size, y: quality) with whiskers, labels and the frontier line; beaten ones are faint.
#pragma once

#include "charts/plain_chart.h"
#include "stats/pareto.h"

#include <limits>
#include <vector>

class QCPPainter;

namespace qw::ui {

struct ScatterPoint {
    QString id, label;
    double x = 0, y = 0;
    double yLower = std::numeric_limits<double>::quiet_NaN(), yUpper = std::numeric_limits<double>::quiet_NaN();
    int colour = 0;
    QString tip;
};

class ScatterChart : public PlainChart {
    Q_OBJECT
public:
    explicit ScatterChart(const QString& name, QWidget* parent = nullptr);
    void setAxes(const QString& xLabel, stats::Better x, const QString& yLabel, stats::Better y);
    void setPoints(std::vector<ScatterPoint> points);
    [[nodiscard]] const std::vector<ScatterPoint>& points() const { return m_points; }
    [[nodiscard]] std::vector<QString> frontier() const; // ids in the order of x
    [[nodiscard]] QString selected() const { return m_selected; }
    void select(const QString& id);

Q_SIGNALS:
    void pointClicked(const QString& id);
    void pointActivated(const QString& id); // double click or Return

protected:
    [[nodiscard]] QString tipAt(const QPointF& at) const override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void refresh();
    void paintFrontier(QCPPainter& painter) const;
    void paintPoints(QCPPainter& painter) const;
    void paintLabels(QCPPainter& painter) const;
    [[nodiscard]] QPointF pixel(const ScatterPoint& point) const;
    [[nodiscard]] bool onFrontier(size_t i) const;
    [[nodiscard]] const ScatterPoint* pointAt(const QPointF& at) const;
    std::vector<ScatterPoint> m_points;
    std::vector<size_t> m_front;
    QString m_xLabel, m_yLabel, m_selected;
    stats::Better m_xBetter = stats::Better::Lower, m_yBetter = stats::Better::Higher;
};

} // namespace qw::ui
