// SPDX-License-Identifier: GPL-3.0-or-later
// What: the fused kernels with AVX-512; narrow symmetric grids go to the table kernel.
#include "numerics/avx512.h"
#include "numerics/table_rows.h"

namespace qw::numerics {

namespace {

template<bool Native> RowKernel pick(const Grid& grid, bool onlyY) {
    if (const RowKernel table = pickTable<Native>(grid, onlyY)) return table;
    return pickKernel<Avx512<Native>>(grid, onlyY);
}

} // namespace

RowKernel fusedAvx512(const Grid& grid, bool onlyY) { return pick<false>(grid, onlyY); }
RowKernel fusedAvx512Bf16(const Grid& grid, bool onlyY) { return pick<true>(grid, onlyY); }

} // namespace qw::numerics
