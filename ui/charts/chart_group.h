// SPDX-License-Identifier: GPL-3.0-or-later
// What: the charts of one page together: one crosshair, one smoothing, one x axis, one "follow".
#pragma once

#include "charts/chart_types.h"

#include <QObject>
#include <QSet>

namespace qw::ui {

class ChartGroup : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;

    [[nodiscard]] double smoothing() const { return m_smoothing; }
    [[nodiscard]] ChartX xAxis() const { return m_xAxis; }
    [[nodiscard]] bool isFollowing() const { return m_following; }

    void setSmoothing(double weight); // 0 to 0.999
    void setXAxis(ChartX axis);
    void setFollowing(bool on);                        // every chart follows new points again, or stays where it is
    void report(const QObject* chart, bool following); // the group follows while all of its charts do
    // The crosshair stands at this step in every chart; not a number: nowhere.
    void setCrosshair(double step);

Q_SIGNALS:
    void smoothingChanged(double weight);
    void xAxisChanged(qw::ui::ChartX axis);
    void followingChosen(bool on); // to every chart
    void followingChanged(bool on);
    void crosshairMoved(double step);

private:
    double m_smoothing = 0;
    ChartX m_xAxis = ChartX::Step;
    bool m_following = true;
    QSet<const QObject*> m_zoomed;
};

} // namespace qw::ui
