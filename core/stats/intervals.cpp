// SPDX-License-Identifier: GPL-3.0-or-later
#include "stats/intervals.h"

#include <algorithm>
#include <cmath>

namespace qw::stats {
namespace {

std::optional<int64_t> squaredCeil(double root) {
    const double n = std::ceil(root * root);
    if (!std::isfinite(n) || n > 9e15) return std::nullopt;
    return std::max<int64_t>(1, static_cast<int64_t>(n));
}

} // namespace

Interval wilson(int64_t successes, int64_t n, double z) {
    if (n <= 0) return {0, 1};
    const double count = static_cast<double>(n), p = static_cast<double>(successes) / count, z2 = z * z;
    const double middle = p + z2 / (2 * count);
    const double half = z * std::sqrt(p * (1 - p) / count + z2 / (4 * count * count));
    const double scale = 1 + z2 / count;
    return {std::max(0.0, (middle - half) / scale), std::min(1.0, (middle + half) / scale)};
}

std::optional<double> proportionError(double p, int64_t n) {
    if (n < 2) return std::nullopt;
    return std::sqrt(p * (1 - p) / static_cast<double>(n - 1));
}

std::optional<double> meanError(std::span<const double> values) {
    if (values.size() < 2) return std::nullopt;
    const double n = static_cast<double>(values.size());
    double sum = 0, squares = 0;
    for (const double v : values) sum += v;
    const double mean = sum / n;
    for (const double v : values) squares += (v - mean) * (v - mean);
    return std::sqrt(squares / (n - 1) / n);
}

std::optional<int64_t> itemsForDifference(double difference, double deviation) {
    if (!(std::abs(difference) > 0)) return std::nullopt;
    return squaredCeil((kZ95 + kZ80) * deviation / difference);
}

std::optional<int64_t> itemsForMargin(double margin, double deviation) {
    if (!(margin > 0)) return std::nullopt;
    return squaredCeil(kZ95 * deviation / margin);
}

} // namespace qw::stats
