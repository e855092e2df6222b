// SPDX-License-Identifier: GPL-3.0-or-later
// What: numerics on tensors: the torch-free kernels for CPU memory, the same formulas in ATen operations elsewhere.
// Why here: everything above asks for the outputs it needs and does not care where the tensor lives.
// Limits: the ATen path divides by 0-dim tensors on the device, since a scalar divisor becomes a multiplication on CUDA (quantization.md
// 0.3).
#pragma once

#include "numerics/fake_quant.h"

#include <ATen/core/Tensor.h>

namespace qw::quant {

struct Wanted {
    bool y = true, codes = false, params = false, mask = false;
    numerics::Stats* stats = nullptr;
    bool reference = false; // numerics' slow reference in place of the fused kernels
    bool aten = false;      // the ATen path on any device
};

struct FakeQuantized {
    at::Tensor y;           // as x
    at::Tensor codes;       // int8, as x
    at::Tensor scale, zero; // [rows, groups]
    at::Tensor mask;        // CPU kernels: int64 words of numerics::Outputs; ATen: bool, as x
};

[[nodiscard]] ParallelFor torchParallel();
// x: of the grid's dtype, grid.rows · grid.cols elements in any shape; made contiguous when it is not.
[[nodiscard]] FakeQuantized fakeQuantize(const numerics::Grid& grid, const at::Tensor& x, const Wanted& wanted);
// The values of codes that a fakeQuantize with codes and params gave: the bits of its y, as [rows, cols].
[[nodiscard]] at::Tensor valuesOf(const numerics::Grid& grid, const at::Tensor& codes, const at::Tensor& scale, const at::Tensor& zero,
                                  bool aten = false);
// gradient with zeros where the mask is clear; the mask of a FakeQuantized of the same grid.
[[nodiscard]] at::Tensor masked(const numerics::Grid& grid, const at::Tensor& mask, const at::Tensor& gradient);
[[nodiscard]] at::Tensor maskedInPlace(const numerics::Grid& grid, const at::Tensor& mask, const at::Tensor& gradient); // where it can be
// Family 2.5 in differentiable operations: the gradient also flows through minimum and maximum, as torchao's does.
[[nodiscard]] at::Tensor int4ZpThroughRange(const numerics::Grid& grid, const at::Tensor& x);
[[nodiscard]] at::ScalarType torchType(records::DType type);
[[nodiscard]] records::DType recordType(at::ScalarType type);

} // namespace qw::quant
