// SPDX-License-Identifier: GPL-3.0-or-later
// What: one mean line with a band from several runs that differ only in their seed.
// Limits: a step counts the runs that have a finite value there.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qw::stats {

enum class Spread : uint8_t { MinMax, StandardError };

struct SeedRun {
    std::span<const double> x, y; // of equal length; x grows
};
struct SeedBand {
    std::vector<double> x, mean, low, high;
};

// StandardError: mean -+ s / sqrt(n) with s over n - 1; a single value has no width.
[[nodiscard]] SeedBand seedBand(std::span<const SeedRun> runs, Spread spread);

} // namespace qw::stats
