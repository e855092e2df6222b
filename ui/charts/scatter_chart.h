// SPDX-License-Identifier: GPL-3.0-or-later
// What: candidates as points (x: size, y: quality) with whiskers, labels and the frontier line; beaten ones are faint.
#pragma once

#include "stats/pareto.h"

#include <QString>
#include <QWidget>
#include <limits>
#include <memory>
#include <vector>

namespace qw::ui {

struct ScatterPoint {
    QString id, label;
    double x = 0, y = 0;
    double yLower = std::numeric_limits<double>::quiet_NaN(), yUpper = std::numeric_limits<double>::quiet_NaN();
    int colour = 0;
    QString tip;
};

class ScatterChart : public QWidget {
    Q_OBJECT
public:
    explicit ScatterChart(const QString& name, QWidget* parent = nullptr);
    ~ScatterChart() override;
    void setTitle(const QString& title);
    void setAxes(const QString& xLabel, stats::Better x, const QString& yLabel, stats::Better y);
    void setPoints(std::vector<ScatterPoint> points);
    [[nodiscard]] std::vector<QString> frontier() const; // ids in the order of x
    [[nodiscard]] QString selected() const;
    void select(const QString& id);

Q_SIGNALS:
    void pointClicked(const QString& id);
    void pointActivated(const QString& id); // double click or Return

protected:
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    struct Parts;
    std::unique_ptr<Parts> m_parts;
};

} // namespace qw::ui
