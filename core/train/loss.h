// SPDX-License-Identifier: GPL-3.0-or-later
// What: cross-entropy of a linear head without the full logits (performance.md 3): chunks of tokens, fp32 statistics, gradients made in
// forward. Why here: logits of 128 256 words times all tokens are the largest tensor of a step; a chunk of them is enough.
#pragma once

#include <ATen/core/Tensor.h>
#include <vector>

namespace qw::train {

// Rows of a chunk for a vocabulary, by a memory budget of 256 MB for logits and their fp32 copy.
[[nodiscard]] int64_t chunkRows(int64_t vocab, at::ScalarType type);

// scale * sum over t of CE(hidden[keep[t]] . weight^T, labels[t]) as a differentiable fp32 scalar. hidden [..., H], weight [V, H];
// keep: row numbers of flattened hidden, ascending; labels: int64 in [0, V). rowsPerChunk 0: chunkRows().
[[nodiscard]] at::Tensor linearCrossEntropy(const at::Tensor& hidden, const at::Tensor& weight, const std::vector<int64_t>& keep,
                                            const std::vector<int64_t>& labels, double scale, int64_t rowsPerChunk = 0);

// Cross-entropy of each kept row, fp32 [n], without gradients.
[[nodiscard]] at::Tensor crossEntropyRows(const at::Tensor& hidden, const at::Tensor& weight, const std::vector<int64_t>& keep,
                                          const std::vector<int64_t>& labels, int64_t rowsPerChunk = 0);

} // namespace qw::train
