// SPDX-License-Identifier: GPL-3.0-or-later
// What: the learning rate over the run as a small curve, by the formula that the engine trains by (config/schedule.h).
#pragma once

#include "records/recipe.h"

#include <QVector>
#include <QWidget>

namespace qw::ui {

class LrSparkline : public QWidget {
    Q_OBJECT
public:
    explicit LrSparkline(QWidget* parent = nullptr);
    // totalSteps 0: unknown as yet; the shape is drawn over a thousand steps and said to be so.
    void show(const records::Recipe& recipe, int64_t totalSteps);
    [[nodiscard]] const QVector<double>& rates() const { return m_rates; } // at evenly spaced steps, first and last included
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QVector<double> m_rates;
    double m_peak = 0;
    QString m_caption;
};

} // namespace qw::ui
