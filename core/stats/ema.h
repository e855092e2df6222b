// SPDX-License-Identifier: GPL-3.0-or-later
// What: debiased exponential moving average, the smoothing of charts: y_n = sum w^(n-i) x_i / sum w^(n-i).
// Why here: it must see every point before a chart thins them out; the engine-side tools may use the same numbers.
// Limits: counts points, not steps, so a gap in steps does not restart it.
#pragma once

#include <span>
#include <vector>

namespace qw::stats {

class Ema {
public:
    explicit Ema(double weight = 0) : m_weight(weight) {} // of the past, 0 (off) up to but not including 1
    [[nodiscard]] double weight() const { return m_weight; }
    // The average after this point. A value that is no finite number changes nothing and answers not-a-number.
    double next(double value);

private:
    double m_weight = 0, m_average = 0, m_norm = 0;
};

// Of a whole series.
[[nodiscard]] std::vector<double> ema(std::span<const double> values, double weight);

} // namespace qw::stats
