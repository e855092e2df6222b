// SPDX-License-Identifier: GPL-3.0-or-later
// What: the charts of one page together: one crosshair, one smoothing, one x axis, one "follow".
#pragma once

#include "charts/chart_types.h"

#include <QObject>

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
    void setFollowing(bool on); // on: every chart follows new points again; off only by a chart's zoom
    // The crosshair stands at this step in every chart; not a number: nowhere.
    void setCrosshair(double step);

Q_SIGNALS:
    void smoothingChanged(double weight);
    void xAxisChanged(qw::ui::ChartX axis);
    void followingChanged(bool on);
    void crosshairMoved(double step);

private:
    double m_smoothing = 0;
    ChartX m_xAxis = ChartX::Step;
    bool m_following = true;
};

} // namespace qw::ui
