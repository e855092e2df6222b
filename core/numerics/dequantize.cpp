// SPDX-License-Identifier: GPL-3.0-or-later
// What: stored codes back to values.
#include "numerics/formulas.h"

#include <algorithm>

namespace qw::numerics {

namespace {

// Compiled for several instruction sets, chosen when the program starts; without contraction they all give the same bits.
#if defined(__x86_64__)
#define QW_FOR_EACH_ISA __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define QW_FOR_EACH_ISA
#endif

// Integer families: q - zero is a whole number of at most nine bits, exact in every type; the product is rounded once.
QW_FOR_EACH_ISA void integersToF32(const int8_t* codes, float zero, float scale, float* y, int64_t n) {
    for (int64_t i = 0; i < n; ++i) y[i] = (static_cast<float>(codes[i]) - zero) * scale;
}
QW_FOR_EACH_ISA void integersToBf16(const int8_t* codes, float zero, float scale, uint16_t* y, int64_t n) {
    for (int64_t i = 0; i < n; ++i) y[i] = floatToBf16((static_cast<float>(codes[i]) - zero) * scale);
}

GroupParams storedParams(const Grid& grid, const void* scale, const void* zero, int64_t group) {
    GroupParams p;
    p.scale = loadAs(grid.scaleType, scale, group);
    if (grid.family == Family::IntAsymmetric)
        p.zero = static_cast<float>(static_cast<const int32_t*>(zero)[group]);
    else if (grid.hasZero())
        p.zero = loadAs(grid.scaleType, zero, group);
    return p;
}

void anyGroup(const Grid& grid, const GroupParams& p, const int8_t* codes, void* y, int64_t first) {
    const bool isUnsigned = grid.qmin == 0;
    if (grid.group >= (1 << grid.bits)) {
        float values[256]; // of every code, indexed by its byte
        for (int q = grid.qmin; q <= grid.qmax; ++q) values[static_cast<uint8_t>(q)] = codeValue(grid, p, static_cast<float>(q));
        for (int64_t i = first; i < first + grid.group; ++i) storeAs(grid.type, y, i, values[static_cast<uint8_t>(codes[i])]);
        return;
    }
    for (int64_t i = first; i < first + grid.group; ++i) {
        const int q = isUnsigned ? static_cast<uint8_t>(codes[i]) : codes[i];
        storeAs(grid.type, y, i, codeValue(grid, p, static_cast<float>(q)));
    }
}

} // namespace

void dequantize(const Grid& grid, const int8_t* codes, const void* scale, const void* zero, void* y, const ParallelFor& parallel) {
    if (grid.rows == 0 || grid.cols == 0) return;
    const int64_t groups = grid.groupsPerRow();
    const bool integers = (grid.family == Family::IntSymmetric || grid.family == Family::IntAsymmetric) && grid.qmin < 0 &&
                          grid.bits <= 8 && grid.type != DType::F16;
    parallel(grid.rows, std::max<int64_t>(1, 65536 / grid.cols), [&](int64_t begin, int64_t end) {
        for (int64_t group = begin * groups; group < end * groups; ++group) {
            const GroupParams p = storedParams(grid, scale, zero, group);
            const int64_t first = group * grid.group;
            if (integers && grid.type == DType::F32)
                integersToF32(codes + first, p.zero, p.scale, static_cast<float*>(y) + first, grid.group);
            else if (integers)
                integersToBf16(codes + first, p.zero, p.scale, static_cast<uint16_t*>(y) + first, grid.group);
            else
                anyGroup(grid, p, codes, y, first);
        }
    });
}

} // namespace qw::numerics
