// SPDX-License-Identifier: GPL-3.0-or-later
// What: the grid of one module's matrix in the dtype it is quantized in. Internal to the folder.
#pragma once

#include "quant/quantizer.h"

namespace qw::quant {

// T of a matrix that is computed with in `own`: the export type where that is narrower (quantization.md T29).
[[nodiscard]] inline records::DType quantizedType(records::DType own, records::DType exportType) {
    return own == records::DType::F32 ? exportType : own;
}
// The weight block of a linear, the embedding block of the table.
[[nodiscard]] inline const records::QuantBlock& matrixBlock(const Plan& plan, int module) {
    return module == plan.embeddingModule ? *plan.block.embedding : *plan.block.weight;
}
[[nodiscard]] inline records::Role matrixRole(const Plan& plan, int module) {
    return module == plan.embeddingModule ? records::Role::Embedding : records::Role::Weight;
}
// The plan has resolved the same block against the same width before, so this cannot fail; throws c10::Error if it does.
[[nodiscard]] numerics::Grid gridOf(const records::QuantBlock& block, records::Role role, records::DType type, int64_t rows, int64_t cols);

} // namespace qw::quant
