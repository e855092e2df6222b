// SPDX-License-Identifier: GPL-3.0-or-later
// What: statistics and a histogram of many numbers, added up piece by piece; the same result however they are cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace qw::numerics {

// Population statistics of the finite values.
struct Distribution {
    int64_t count = 0, nan = 0, inf = 0, zeros = 0; // count: of finite values
    double least = std::numeric_limits<double>::infinity(), most = -std::numeric_limits<double>::infinity();
    double mean = 0, squares = 0; // squares: of the distances from the mean (Chan, Golub and LeVeque 1979)
    void add(const float* values, int64_t n);
    [[nodiscard]] double deviation() const;
    [[nodiscard]] double largest() const; // magnitude; 0 of nothing
};

// Equal bins over [low, high]; the last one holds high too.
struct Histogram {
    double low = -1, high = 1;
    std::vector<int64_t> bins;
    int64_t below = 0, above = 0; // outside of the range; NaN is counted nowhere
    Histogram() = default;
    Histogram(double from, double to, int count) : low(from), high(to), bins(static_cast<std::size_t>(count)) {}
    void add(const float* values, int64_t n);
    [[nodiscard]] int64_t most() const;
};

} // namespace qw::numerics
