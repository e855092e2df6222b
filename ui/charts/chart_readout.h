// SPDX-License-Identifier: GPL-3.0-or-later
// What: the panel that lists what the crosshair reads: every visible line, raw, smoothed, and the difference to each pinned line.
#pragma once

#include "charts/chart_plot.h"

#include <QWidget>

namespace qw::ui {

// All drawn lines at a step, in this order.
[[nodiscard]] std::vector<ReadoutRow> readoutAt(const ChartPlot& plot, double step, ReadoutOrder order);

class ChartReadout : public QWidget {
    Q_OBJECT
public:
    ChartReadout(const QString& name, ChartPlot& plot);
    void setOrder(ReadoutOrder order);
    [[nodiscard]] ReadoutOrder order() const { return m_order; }
    void refresh(); // after the crosshair, the pins or the data changed

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    struct Row {
        ReadoutRow facts;
        QStringList cells; // raw, smoothed, differences
    };
    void fill(double step);
    void place();
    ChartPlot& m_plot;
    ReadoutOrder m_order = ReadoutOrder::Legend;
    QString m_heading;
    QStringList m_columns;
    std::vector<Row> m_rows;
    std::vector<int> m_widths;
    int m_labelWidth = 0;
};

} // namespace qw::ui
