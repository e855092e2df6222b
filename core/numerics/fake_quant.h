// SPDX-License-Identifier: GPL-3.0-or-later
// What: fake quantization of a row-major matrix on raw pointers, bit for bit as quantization.md 2.1-2.5 and 2.7.
// Why here: the engine trains with it, the window previews with it and every exporter packs its codes; there is one definition.
// Limits: groups are runs of `group` elements inside a row; rows are independent; results do not depend on the number of threads.
#pragma once

#include "base/parallel.h"
#include "base/result.h"
#include "records/quant_block.h"

#include <cstdint>

namespace qw::numerics {

using records::DType;

[[nodiscard]] constexpr int64_t sizeOf(DType type) { return type == DType::F32 ? 4 : 2; }

enum class Family : uint8_t {
    IntSymmetric,  // 2.1, 2.7 symmetric, symmetric_no_clip
    IntAsymmetric, // 2.2 tokens, 2.3 weights, 2.7 asymmetric
    Tinygemm,      // 2.4: float zero point, minimum re-derived from the stored pair
    Int4Zp,        // 2.5: float zero point, all in fp32, true minimum
};

// A block resolved against one matrix: everything a kernel needs.
struct Grid {
    Family family = Family::IntSymmetric;
    int bits = 8;
    int qmin = -128, qmax = 127;
    bool noClip = false;          // mapping symmetric_no_clip
    DType type = DType::F32;      // T: of the matrix
    DType scaleType = DType::F32; // S, already resolved ("input" = T); Int4Zp: F32
    double eps = 0;               // lower bound of the scale (Int4Zp: of the range), already resolved
    int64_t rows = 0, cols = 0;
    int64_t group = 0; // divides cols
    [[nodiscard]] int64_t groupsPerRow() const { return cols / group; }
    [[nodiscard]] bool hasZero() const { return family != Family::IntSymmetric; }
    // Dtype of the stored zero point: Tinygemm S, Int4Zp F32; IntAsymmetric stores int32.
};

// config.invalid when the block cannot be used in this role, config.conflict when the group size does not divide cols.
[[nodiscard]] Result<Grid> resolveGrid(const records::QuantBlock& block, records::Role role, DType type, int64_t rows, int64_t cols);
// n + (bits(s) + bits(zp)) / g, integer zero points counted at the width of the codes (quantization.md 7).
[[nodiscard]] double bitsPerWeight(const Grid& grid);

// Sums over the whole matrix; the caller adds up several calls.
struct Stats {
    double sumSquares = 0;      // of x
    double sumSquaredError = 0; // of x - y
    int64_t clipped = 0;        // q0 != q
    int64_t underflow = 0;      // x != 0 and y == 0
    int64_t nonfinite = 0;      // NaN or Inf in x
    int64_t count = 0;
    [[nodiscard]] double sqnrDb() const; // +inf when equal
    Stats& operator+=(const Stats& part);
};

// Any subset of outputs; null = not wanted. All arrays are row-major and contiguous.
struct Outputs {
    void* y = nullptr;        // [rows, cols] in T; may be the input itself
    int8_t* codes = nullptr;  // [rows, cols]; unsigned families hold the same bits as uint8
    void* scale = nullptr;    // [rows, cols/group] in S
    void* zero = nullptr;     // [rows, cols/group]: int32 for IntAsymmetric, S for Tinygemm, float for Int4Zp
    uint64_t* mask = nullptr; // [rows, ceil(cols/64)]: bit set = inside range = gradient passes
    Stats* stats = nullptr;
};

// The fused kernels; AVX-512, AVX2 or scalar chosen at run time, same bits everywhere.
void fakeQuantize(const Grid& grid, const void* x, const Outputs& out, const ParallelFor& parallel);
// One plain loop per formula of the page. Slow on purpose: it is what the fused kernels are compared with.
void fakeQuantizeReference(const Grid& grid, const void* x, const Outputs& out);
// y = the value of the stored codes; the same bits as fakeQuantize's y.
void dequantize(const Grid& grid, const int8_t* codes, const void* scale, const void* zero, void* y, const ParallelFor& parallel);
// Codes, scales and zero points for qparams that were found elsewhere (MSE search): range shrunk by p per group.
struct RangeSearch {
    int candidates = 80; // p = 1 - i/100
    double norm = 2;     // nu
};
// Same outputs as fakeQuantize, with the best p per group (first strict minimum; quantization.md 6).
void rangeSearchQuantize(const Grid& grid, const RangeSearch& search, const void* x, const Outputs& out, const ParallelFor& parallel);
// out[i] = g[i] where the mask bit is set, else 0. [rows, cols] in type; out may be g.
void maskGradient(DType type, int64_t rows, int64_t cols, const uint64_t* mask, const void* g, void* out, const ParallelFor& parallel);
// g[i] = 0 where the mask bit is clear. g is [rows, cols] in type.
void applyMask(DType type, int64_t rows, int64_t cols, const uint64_t* mask, void* g, const ParallelFor& parallel);

[[nodiscard]] const char* kernelName(); // "avx512", "avx2" or "scalar"

} // namespace qw::numerics
