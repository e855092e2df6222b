// SPDX-License-Identifier: GPL-3.0-or-later
// What: rotary position embedding (models.md 3): inverse frequencies per scaling kind, and tables of cosines and sines.
// Limits: tables are fp32 until the last cast, as transformers' modeling_rope_utils.py computes them, operation by operation.
#pragma once

#include "checkpoint/model_config.h"

#include <ATen/core/Tensor.h>

namespace qw::model {

struct RopeFrequencies {
    at::Tensor inverse;        // fp32 [D/2], on the CPU
    double attentionScale = 1; // multiplies cosines and sines
};
// length: of this call, positions included; matters to `dynamic` and `longrope` only.
[[nodiscard]] RopeFrequencies ropeFrequencies(const checkpoint::Rope& rope, int64_t headDim, int64_t maxPositions, int64_t length);

// Whether calls of both lengths turn a token equally.
[[nodiscard]] bool sameRope(const checkpoint::Rope& rope, int64_t headDim, int64_t maxPositions, int64_t length, int64_t other);

struct RopeTable {
    at::Tensor cosine, sine; // [R or 1, 1, S, D] in the hidden dtype
};
// positions: int64 [R, S] or [1, S].
[[nodiscard]] RopeTable ropeTable(const RopeFrequencies& frequencies, const at::Tensor& positions, at::ScalarType type);
// x [R, heads, S, D] in half-split layout.
[[nodiscard]] at::Tensor rotate(const at::Tensor& x, const RopeTable& table);

} // namespace qw::model
