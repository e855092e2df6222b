// SPDX-License-Identifier: GPL-3.0-or-later
// What: the comparison as pictures: bars with 95 % whiskers, size against quality, and the runs' curves over each other.
#pragma once

#include "client/session.h"
#include "models/comparison.h"
#include "models/report_charts.h"

#include <QWidget>

class QComboBox;

namespace qw::ui {

class BarChart;
class QatChart;
class ScatterChart;

// Combo of the table's metrics; keeps its choice over new tables.
class MetricBox;

class BarsView : public QWidget {
    Q_OBJECT
public:
    explicit BarsView(QWidget* parent = nullptr);
    void setComparison(const ComparisonPtr& comparison);

Q_SIGNALS:
    void runClicked(const QString& uid);

private:
    void draw();
    ComparisonPtr m_comparison;
    MetricBox* m_metric = nullptr;
    BarChart* m_chart = nullptr;
};

class ParetoView : public QWidget {
    Q_OBJECT
public:
    explicit ParetoView(QWidget* parent = nullptr);
    void setComparison(const ComparisonPtr& comparison);
    [[nodiscard]] ScatterChart& chart() const { return *m_chart; }

Q_SIGNALS:
    void runClicked(const QString& uid);

private:
    void draw();
    ComparisonPtr m_comparison;
    QComboBox* m_x = nullptr;
    MetricBox* m_metric = nullptr;
    ScatterChart* m_chart = nullptr;
};

class CurvesView : public QWidget {
    Q_OBJECT
public:
    explicit CurvesView(Session& session, QWidget* parent = nullptr);
    void setComparison(const ComparisonPtr& comparison);
    [[nodiscard]] QatChart& chart() const { return *m_chart; }

private:
    void draw();
    Session& m_session;
    ComparisonPtr m_comparison;
    QComboBox* m_series = nullptr;
    QatChart* m_chart = nullptr;
};

} // namespace qw::ui
