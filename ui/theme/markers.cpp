// SPDX-License-Identifier: GPL-3.0-or-later
#include "theme/markers.h"

#include <array>
#include <cmath>
#include <numbers>

namespace qw::ui {
namespace {

// Corners of a shape on the unit circle, the first one up.
QPolygonF star(int points, double inner) {
    QPolygonF shape;
    const int corners = inner < 1 ? points * 2 : points;
    for (int i = 0; i < corners; ++i) {
        const double angle = 2 * std::numbers::pi * i / corners, r = inner < 1 && i % 2 == 1 ? inner : 1;
        shape << QPointF(r * std::sin(angle), -r * std::cos(angle));
    }
    return shape;
}

QPolygonF makeShape(int marker) {
    switch (marker) {
    case 1:
        return QPolygonF({{-0.8, -0.8}, {0.8, -0.8}, {0.8, 0.8}, {-0.8, 0.8}});
    case 2:
        return star(3, 1);
    case 3:
        return star(4, 1);
    case 4:
        return QPolygonF({{-0.87, -0.6}, {0.87, -0.6}, {0, 1}}); // triangle on its tip
    case 5:
        return star(5, 0.45);
    case 6:
        return star(6, 1);
    case 7:
        return star(4, 0.35);
    default:
        return star(16, 1); // a disc at this size
    }
}

} // namespace

const QPolygonF& markerShape(int number) {
    static const auto shapes = [] {
        std::array<QPolygonF, kMarkers> made;
        for (int i = 0; i < kMarkers; ++i) made[static_cast<size_t>(i)] = makeShape(i);
        return made;
    }();
    return shapes[static_cast<size_t>(number) % kMarkers];
}

} // namespace qw::ui
