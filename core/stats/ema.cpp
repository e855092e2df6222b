// SPDX-License-Identifier: GPL-3.0-or-later
#include "stats/ema.h"

#include <cmath>
#include <limits>

namespace qw::stats {

double Ema::next(double value) {
    if (!std::isfinite(value)) return std::numeric_limits<double>::quiet_NaN();
    if (m_weight <= 0) return value;
    // Written as a correction of the average, a constant series stays constant to the last bit.
    m_norm = 1 + m_weight * m_norm;
    m_average += (value - m_average) / m_norm;
    return m_average;
}

std::vector<double> ema(std::span<const double> values, double weight) {
    Ema filter(weight);
    std::vector<double> out;
    out.reserve(values.size());
    for (const double value : values) out.push_back(filter.next(value));
    return out;
}

} // namespace qw::stats
