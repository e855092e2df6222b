// SPDX-License-Identifier: GPL-3.0-or-later
// What: the charts of a report as SVG text: bars with 95 % whiskers, and size against quality with the frontier.
// Why here: a report is one file without scripts and without the window's theme; these are drawn for white paper.
#pragma once

#include "models/comparison.h"

namespace qw::ui {

enum class ParetoX : uint8_t { Size, Bits, Speed };
[[nodiscard]] double paretoValue(const study::Line& line, ParetoX x); // NaN: not known

[[nodiscard]] QByteArray barsSvg(const Comparison& comparison, size_t column);
[[nodiscard]] QByteArray paretoSvg(const Comparison& comparison, size_t column, ParetoX x);

} // namespace qw::ui
