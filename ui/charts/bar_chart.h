// SPDX-License-Identifier: GPL-3.0-or-later
// What: labelled horizontal bars with whiskers and a line of reference.
#pragma once

#include "charts/plain_chart.h"

#include <limits>
#include <vector>

class QCPPainter;

namespace qw::ui {

struct Bar {
    QString id, label;
    double value = 0;
    double lower = std::numeric_limits<double>::quiet_NaN(), upper = std::numeric_limits<double>::quiet_NaN(); // of the whisker; NaN: none
    int colour = 0;                                                                                            // Theme::series
    bool faint = false;
    QString tip; // beside the value when the pointer rests on it
};

class BarChart : public PlainChart {
    Q_OBJECT
public:
    explicit BarChart(const QString& name, QWidget* parent = nullptr);
    void setUnit(const QString& unit);
    void setBars(std::vector<Bar> bars);                   // the first one on top
    void setReference(double value, const QString& label); // the baseline; NaN: none
    void setFromZero(bool on);                             // false: the axis starts near the smallest value, and dots stand for bars
    [[nodiscard]] const std::vector<Bar>& bars() const { return m_bars; }
    [[nodiscard]] QString selected() const { return m_selected; }
    void select(const QString& id);

Q_SIGNALS:
    void barClicked(const QString& id);

protected:
    [[nodiscard]] QString tipAt(const QPointF& at) const override;
    void styled() override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void paintBars(QCPPainter& painter) const;
    void paintValues(QCPPainter& painter) const;
    void paintReference(QCPPainter& painter) const;
    void fitAxes();
    [[nodiscard]] const Bar* barAt(const QPointF& at) const;
    std::vector<Bar> m_bars;
    QString m_selected, m_referenceLabel;
    double m_reference = std::numeric_limits<double>::quiet_NaN();
    bool m_fromZero = true;
};

} // namespace qw::ui
