// SPDX-License-Identifier: GPL-3.0-or-later
// What: smallest and largest value of any stretch of a growing series, in time that grows with the logarithm of its length.
// Why here: a chart draws one pixel column from thousands of points, and no spike may be lost; it needs neither Qt nor the chart.
// Limits: the values stay with the caller, who hands the same ones in again; values that are no finite numbers are skipped.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace qw::stats {

struct Extent {
    double min = std::numeric_limits<double>::infinity();
    double max = -std::numeric_limits<double>::infinity();
    double leastPositive = std::numeric_limits<double>::infinity(); // for logarithmic axes; infinite: none

    [[nodiscard]] bool empty() const { return min > max; }
    void add(double value) {
        if (!std::isfinite(value)) return;
        min = std::min(min, value);
        max = std::max(max, value);
        if (value > 0) leastPositive = std::min(leastPositive, value);
    }
    void add(const Extent& other) {
        min = std::min(min, other.min);
        max = std::max(max, other.max);
        leastPositive = std::min(leastPositive, other.leastPositive);
    }
    bool operator==(const Extent&) const = default;
};

class Pyramid {
public:
    static constexpr size_t kFan = 16; // values a block of level 0, blocks of the level below elsewhere

    // Takes in the values behind those it has seen: call after each growth with the whole series.
    void grow(std::span<const double> values);
    void truncate(size_t count); // forgets what lies behind the first `count` values
    void clear() { truncate(0); }
    [[nodiscard]] size_t size() const { return m_count; }

    // Over values[from, to); to <= size().
    [[nodiscard]] Extent range(std::span<const double> values, size_t from, size_t to) const;

private:
    std::vector<std::vector<Extent>> m_levels; // full blocks only; the rest is read from the level below
    size_t m_count = 0;
};

} // namespace qw::stats
