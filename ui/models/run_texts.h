// SPDX-License-Identifier: GPL-3.0-or-later
// What: the words and numbers of the runs table in the user's locale, and how sizes and times are written everywhere.
#pragma once

#include "models/run_row.h"

namespace qw::ui {

// column: RunsModel::Column.
[[nodiscard]] QString runColumnTitle(int column);
[[nodiscard]] QString runColumnHelp(int column);
[[nodiscard]] QString runText(const RunRow& row, int column);
[[nodiscard]] QString runTip(const RunRow& row, int column);

[[nodiscard]] QString runsText(int count);          // "1 run", "12 runs"
[[nodiscard]] QString sizeText(double bytes);       // "1.24 MB", powers of 1000
[[nodiscard]] QString durationText(double seconds); // "4 min 12 s"
[[nodiscard]] QString fixedText(double value, int digits);

} // namespace qw::ui
