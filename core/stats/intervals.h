// SPDX-License-Identifier: GPL-3.0-or-later
// What: closed-form errors and intervals of accuracies, and how many items a decision needs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace qw::stats {

struct Interval {
    double lower = 0, upper = 0;
};
inline constexpr double kZ95 = 1.959963984540054;  // standard normal quantile at 0.975: two-sided 95 %
inline constexpr double kZ80 = 0.8416212335729143; // at 0.80: power 80 %

// Wilson score interval of successes / n (E. B. Wilson 1927). [0, 1] for n = 0.
[[nodiscard]] Interval wilson(int64_t successes, int64_t n, double z = kZ95);
// sqrt(p (1 - p) / (n - 1)), as lm-evaluation-harness prints it; nothing for n < 2.
[[nodiscard]] std::optional<double> proportionError(double p, int64_t n);
// Sample deviation (n - 1) over sqrt n; nothing for n < 2.
[[nodiscard]] std::optional<double> meanError(std::span<const double> values);

// Items for a two-sided 5 % test to see a mean difference per item with 80 % power: ceil(((z95 + z80) deviation / difference)^2).
// deviation: of the per-item differences. Nothing when the difference is 0 or not finite.
[[nodiscard]] std::optional<int64_t> itemsForDifference(double difference, double deviation);
// Items after which z95 deviation / sqrt n falls to margin: ceil((z95 deviation / margin)^2); nothing for margin <= 0.
[[nodiscard]] std::optional<int64_t> itemsForMargin(double margin, double deviation);

} // namespace qw::stats
