// SPDX-License-Identifier: GPL-3.0-or-later
// What: the table of tiles that the Live page knows: which curves each draws, its unit and size.
// Why here: one table makes the tiles, the menu of "Add tile" and the list that is remembered.
#pragma once

#include <QString>
#include <string>
#include <vector>

namespace qw::ui {

struct TileLine {
    std::string curve; // of LiveSeries
    QString label;     // in the legend; empty: the run's name alone
    int dash = 0;      // 0 solid, 1 dashed, 2 dotted, 3 dash-dot
    bool points = false, smooth = true;
    bool overlaid = true; // also drawn for earlier runs
};

struct TileSpec {
    QString id, title, unit, emptyText;
    int columns = 1, rows = 1;
    double factor = 1; // from the curve to the unit
    std::vector<TileLine> lines;
    std::string layerKind;  // not empty: the chosen layers are drawn too
    bool taskLines = false; // every "task.*" curve that there is
    bool fakeQuant = false; // the band "fake quant on"
    bool positive = false;  // takes part in the page's "log y"
};

[[nodiscard]] QString tileTextForSteps(); // of a tile that every step fills
[[nodiscard]] const std::vector<TileSpec>& tileTable();
[[nodiscard]] const TileSpec* findTile(const QString& id);
[[nodiscard]] QStringList defaultTiles();

} // namespace qw::ui
