// SPDX-License-Identifier: GPL-3.0-or-later
// What: the markers of runs on the unit circle: the same shape for a run in charts, legends and tables.
#pragma once

#include <QPolygonF>

namespace qw::ui {

constexpr int kMarkers = 8;
[[nodiscard]] const QPolygonF& markerShape(int number); // made once

} // namespace qw::ui
