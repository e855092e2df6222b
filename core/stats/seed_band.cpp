// SPDX-License-Identifier: GPL-3.0-or-later
#include "stats/seed_band.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qw::stats {
namespace {

struct Moments {
    double mean = 0, squares = 0; // Welford's recurrence
    double min = std::numeric_limits<double>::infinity(), max = -std::numeric_limits<double>::infinity();
    int n = 0;
    void add(double v) {
        const double before = v - mean;
        mean += before / ++n;
        squares += before * (v - mean);
        min = std::min(min, v);
        max = std::max(max, v);
    }
};

} // namespace

SeedBand seedBand(std::span<const SeedRun> runs, Spread spread) {
    SeedBand band;
    std::vector<size_t> at(runs.size(), 0);
    while (true) {
        double x = std::numeric_limits<double>::infinity();
        for (size_t r = 0; r < runs.size(); ++r)
            if (at[r] < runs[r].x.size()) x = std::min(x, runs[r].x[at[r]]);
        if (std::isinf(x)) return band;
        Moments moments;
        for (size_t r = 0; r < runs.size(); ++r)
            for (; at[r] < runs[r].x.size() && runs[r].x[at[r]] <= x; ++at[r])
                if (std::isfinite(runs[r].y[at[r]])) moments.add(runs[r].y[at[r]]);
        const double none = std::numeric_limits<double>::quiet_NaN();
        const double half = moments.n > 1 ? std::sqrt(moments.squares / (moments.n - 1) / moments.n) : 0;
        const bool range = spread == Spread::MinMax;
        band.x.push_back(x);
        band.mean.push_back(moments.n > 0 ? moments.mean : none);
        band.low.push_back(moments.n == 0 ? none : range ? moments.min : moments.mean - half);
        band.high.push_back(moments.n == 0 ? none : range ? moments.max : moments.mean + half);
    }
}

} // namespace qw::stats
