// SPDX-License-Identifier: GPL-3.0-or-later
// What: one row of a matrix through a fake quantizer, and which routine does it. Internal to the folder.
// Limits: rows are the unit of work, so no two threads ever touch the same mask word.
#pragma once

#include "numerics/fake_quant.h"

namespace qw::numerics {

// Pointers to the row's first element; null = not wanted.
struct Row {
    const void* x = nullptr;
    void* y = nullptr;
    int8_t* codes = nullptr;
    void* scale = nullptr;
    void* zero = nullptr;
    uint64_t* mask = nullptr;
    bool stream = false; // y is too large to stay in a cache: kernels may write it past the caches
};
// Returns the number of clipped values.
using RowKernel = int64_t (*)(const Grid& grid, const Row& row);

int64_t quantizeRowScalar(const Grid& grid, const Row& row);
// One group of the row, for a caller that has no fast way for it.
int64_t quantizeGroupScalar(const Grid& grid, const Row& row, int64_t group);
struct GroupParams;
int64_t quantizeGroupWith(const Grid& grid, const Row& row, int64_t group, const GroupParams& params);

// Null when the grid has no fused kernel (fp16).
RowKernel fusedAvx2(const Grid& grid, bool onlyY);
RowKernel fusedAvx512(const Grid& grid, bool onlyY);
RowKernel fusedAvx512Bf16(const Grid& grid, bool onlyY);

enum class Isa : uint8_t { Scalar, Avx2, Avx512, Avx512Bf16 };
// The best of this machine, or what QATW_KERNELS asks for if the machine has it; read once.
[[nodiscard]] Isa chosenIsa();
[[nodiscard]] RowKernel rowKernel(Isa isa, const Grid& grid, bool onlyY);
[[nodiscard]] bool isaAvailable(Isa isa);

// Every row through `kernel`, in parallel, statistics gathered if they are wanted.
void quantizeRows(const Grid& grid, const void* x, const Outputs& out, const ParallelFor& parallel,
                  const std::function<int64_t(const Row&)>& kernel);
// The same with a given instruction set; fakeQuantize passes chosenIsa().
void fakeQuantizeWith(Isa isa, const Grid& grid, const void* x, const Outputs& out, const ParallelFor& parallel);

} // namespace qw::numerics
