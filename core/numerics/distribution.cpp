// SPDX-License-Identifier: GPL-3.0-or-later
#include "numerics/distribution.h"

#include <algorithm>
#include <cmath>

namespace qw::numerics {

void Distribution::add(const float* values, int64_t n) {
    int64_t finite = 0;
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) {
        const double v = values[i];
        if (!std::isfinite(v)) {
            ++(std::isnan(v) ? nan : inf);
            continue;
        }
        ++finite;
        zeros += v == 0;
        sum += v;
        least = std::min(least, v);
        most = std::max(most, v);
    }
    if (finite == 0) return;
    const double part = sum / static_cast<double>(finite);
    double distances = 0;
    for (int64_t i = 0; i < n; ++i)
        if (const double v = values[i]; std::isfinite(v)) distances += (v - part) * (v - part);
    const double a = static_cast<double>(count), b = static_cast<double>(finite), gap = part - mean;
    mean += gap * b / (a + b);
    squares += distances + gap * gap * a * b / (a + b);
    count += finite;
}

double Distribution::deviation() const { return count > 0 ? std::sqrt(squares / static_cast<double>(count)) : 0; }
double Distribution::largest() const { return count > 0 ? std::max(std::fabs(least), std::fabs(most)) : 0; }

void Histogram::add(const float* values, int64_t n) {
    const double scale = static_cast<double>(bins.size()) / (high - low);
    const auto last = static_cast<int64_t>(bins.size()) - 1;
    for (int64_t i = 0; i < n; ++i) {
        const double v = values[i];
        if (v < low)
            ++below;
        else if (v > high)
            ++above;
        else if (!std::isnan(v))
            ++bins[static_cast<size_t>(std::clamp<int64_t>(static_cast<int64_t>((v - low) * scale), 0, last))];
    }
}

int64_t Histogram::most() const { return bins.empty() ? 0 : *std::ranges::max_element(bins); }

} // namespace qw::numerics
