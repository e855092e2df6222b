// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/chart_group.h"

#include <algorithm>

namespace qw::ui {

void ChartGroup::setSmoothing(double weight) {
    weight = std::clamp(weight, 0.0, 0.999);
    if (weight == m_smoothing) return;
    m_smoothing = weight;
    Q_EMIT smoothingChanged(weight);
}

void ChartGroup::setXAxis(ChartX axis) {
    if (axis == m_xAxis) return;
    m_xAxis = axis;
    Q_EMIT xAxisChanged(axis);
}

void ChartGroup::setFollowing(bool on) {
    if (on == m_following) return;
    m_following = on;
    if (on) m_zoomed.clear();
    Q_EMIT followingChosen(on); // the charts' reports that come back find it so already
    Q_EMIT followingChanged(on);
}

void ChartGroup::report(const QObject* chart, bool following) {
    if (following)
        m_zoomed.remove(chart);
    else
        m_zoomed.insert(chart);
    if (m_following == m_zoomed.isEmpty()) return;
    m_following = m_zoomed.isEmpty();
    Q_EMIT followingChanged(m_following);
}

void ChartGroup::setCrosshair(double step) { Q_EMIT crosshairMoved(step); }

} // namespace qw::ui
