// SPDX-License-Identifier: GPL-3.0-or-later
// What: PTQ by mean error: the range of every group shrunk by p = 1 - i/100, the first strict minimum kept (quantization.md 6).
#include "numerics/formulas.h"
#include "numerics/kernels.h"

#include <cstring>
#include <vector>

namespace qw::numerics {

namespace {

double groupError(const Grid& g, const GroupParams& p, const float* x, double norm) {
    const auto qmin = static_cast<float>(g.qmin), qmax = static_cast<float>(g.qmax);
    double sum = 0;
    for (int64_t i = 0; i < g.group; ++i) {
        const double error = std::abs(static_cast<double>(x[i]) - codeValue(g, p, limit(rawCode(g, p, x[i]), qmin, qmax)));
        sum += norm == 2 ? error * error : std::pow(error, norm);
    }
    return sum / static_cast<double>(g.group);
}

GroupParams bestParams(const Grid& g, const RangeSearch& search, const float* x) {
    float lo = x[0], hi = x[0];
    for (int64_t i = 0; i < g.group; ++i) {
        lo = lower(lo, x[i]);
        hi = higher(hi, x[i]);
        if (std::isnan(x[i])) lo = hi = x[i];
    }
    GroupParams best = groupParams(g, lo, hi);
    double least = groupError(g, best, x, search.norm);
    for (int i = 1; i < search.candidates; ++i) {
        const double p = 1.0 - i / 100.0;
        const GroupParams candidate =
            groupParams(g, roundTo(g.type, static_cast<float>(p * lo)), roundTo(g.type, static_cast<float>(p * hi)));
        const double error = groupError(g, candidate, x, search.norm);
        if (error < least) least = error, best = candidate;
    }
    return best;
}

} // namespace

void rangeSearchQuantize(const Grid& grid, const RangeSearch& search, const void* x, const Outputs& out, const ParallelFor& parallel) {
    quantizeRows(grid, x, out, parallel, [&](const Row& row) {
        if (row.mask) std::memset(row.mask, 0, static_cast<size_t>((grid.cols + 63) / 64) * sizeof(uint64_t));
        std::vector<float> values(static_cast<size_t>(grid.group));
        int64_t clipped = 0;
        for (int64_t group = 0; group < grid.groupsPerRow(); ++group) {
            for (int64_t i = 0; i < grid.group; ++i) values[static_cast<size_t>(i)] = loadAs(grid.type, row.x, group * grid.group + i);
            clipped += quantizeGroupWith(grid, row, group, bestParams(grid, search, values.data()));
        }
        return clipped;
    });
}

} // namespace qw::numerics
