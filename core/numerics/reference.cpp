// SPDX-License-Identifier: GPL-3.0-or-later
#include "numerics/formulas.h"
#include "numerics/kernels.h"

#include <cstring>

namespace qw::numerics {

namespace {

void storeParams(const Grid& g, const GroupParams& p, const Row& row, int64_t group) {
    if (row.scale) storeAs(g.scaleType, row.scale, group, p.scale);
    if (!row.zero) return;
    if (g.family == Family::IntAsymmetric)
        static_cast<int32_t*>(row.zero)[group] =
            p.zero == kNanZeroPoint ? std::numeric_limits<int32_t>::min() : static_cast<int32_t>(p.zero);
    else if (g.hasZero())
        storeAs(g.scaleType, row.zero, group, p.zero);
}

} // namespace

void groupRange(const Grid& g, const void* row, int64_t group, float& lo, float& hi) {
    const int64_t begin = group * g.group, end = begin + g.group;
    lo = hi = loadAs(g.type, row, begin);
    for (int64_t c = begin; c < end; ++c) {
        const float x = loadAs(g.type, row, c);
        lo = lower(lo, x);
        hi = higher(hi, x);
        if (std::isnan(x)) lo = hi = x;
    }
}

int64_t quantizeGroupWith(const Grid& g, const Row& row, int64_t group, const GroupParams& p) {
    storeParams(g, p, row, group);
    const int64_t begin = group * g.group, end = begin + g.group;
    const auto qmin = static_cast<float>(g.qmin), qmax = static_cast<float>(g.qmax);
    int64_t clipped = 0;
    for (int64_t c = begin; c < end; ++c) {
        const float raw = rawCode(g, p, loadAs(g.type, row.x, c));
        const float q = limit(raw, qmin, qmax);
        if (raw < qmin || raw > qmax) ++clipped;
        if (row.mask) {
            const uint64_t bit = uint64_t{1} << (c & 63);
            if (raw >= qmin && raw <= qmax)
                row.mask[c >> 6] |= bit;
            else
                row.mask[c >> 6] &= ~bit;
        }
        if (row.codes) row.codes[c] = storedCode(q);
        if (row.y) storeAs(g.type, row.y, c, codeValue(g, p, q));
    }
    return clipped;
}

int64_t quantizeGroupScalar(const Grid& g, const Row& row, int64_t group) {
    float lo, hi;
    groupRange(g, row.x, group, lo, hi);
    return quantizeGroupWith(g, row, group, groupParams(g, lo, hi));
}

int64_t quantizeRowScalar(const Grid& grid, const Row& row) {
    if (row.mask) std::memset(row.mask, 0, static_cast<size_t>((grid.cols + 63) / 64) * sizeof(uint64_t));
    int64_t clipped = 0;
    for (int64_t group = 0; group < grid.groupsPerRow(); ++group) clipped += quantizeGroupScalar(grid, row, group);
    return clipped;
}

void fakeQuantizeReference(const Grid& grid, const void* x, const Outputs& out) { fakeQuantizeWith(Isa::Scalar, grid, x, out, serial()); }

} // namespace qw::numerics
