// SPDX-License-Identifier: GPL-3.0-or-later
// What: paired bootstrap over items: percentile intervals and p-values, the same numbers on every machine.
// Limits: seed and resample count decide the result; items of both sides must be the same ones in the same order.
#pragma once

#include "stats/intervals.h"

#include <cstdint>
#include <span>

namespace qw::stats {

struct BootstrapOptions {
    int64_t resamples = 10000;
    uint64_t seed = 42;
};

// One document's share of a ratio of sums: sum of negative log-likelihoods over sum of weights (words, bytes or tokens).
struct Share {
    double nll = 0;
    double weight = 0;
};
enum class Ratio : uint8_t {
    Perplexity, // exp(nll / weight)
    Bits,       // nll / (weight ln 2)
    Mean        // nll / weight
};
[[nodiscard]] double ratio(Ratio kind, std::span<const Share> shares);

struct Difference {
    double value = 0;            // b - a on all items; relative: b / a - 1
    double mean = 0;             // over the resamples
    double lower = 0, upper = 0; // two-sided 95 % percentile interval
    double p = 1;                // two-sided: 2 min(share <= 0, share >= 0), with one added to count and total, at most 1
    int64_t n = 0;               // items; 0: the sides do not match or are empty, all else NaN
};
enum class Scale : uint8_t { Absolute, Relative };
[[nodiscard]] Difference bootstrapRatio(Ratio kind, std::span<const Share> a, std::span<const Share> b, Scale scale = Scale::Absolute,
                                        const BootstrapOptions& options = {});
// values: one per item, e.g. 0 or 1; difference of their means.
[[nodiscard]] Difference bootstrapMeans(std::span<const double> a, std::span<const double> b, const BootstrapOptions& options = {});
// 95 % interval of one side's ratio.
[[nodiscard]] Interval bootstrapInterval(Ratio kind, std::span<const Share> shares, const BootstrapOptions& options = {});

} // namespace qw::stats
