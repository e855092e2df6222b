// SPDX-License-Identifier: GPL-3.0-or-later
// What: a linear of a fake-quantized input that keeps the input's codes for backward, not its values (performance.md 4.3): one byte an
// element in place of two or four. The values come back bit for bit, so gradients are those of at::linear.
#pragma once

#include "quant/fake_quant_ops.h"

#include <ATen/core/ivalue.h>

namespace qw::quant {

// One quantized input, shared by the linears that read it.
struct CodedInput : torch::CustomClassHolder {
    numerics::Grid grid;
    at::Tensor codes, scale, zero; // flat [rows, cols], [rows, groups]
    at::Tensor values;             // while one of several backwards still needs them
    int users = 0;                 // backwards to come

    CodedInput(const numerics::Grid& of, const FakeQuantized& q) : grid(of), codes(q.codes), scale(q.scale), zero(q.zero) {}
    [[nodiscard]] at::Tensor take(); // [rows, cols] in the grid's type; the last user frees them
};

// at::linear(x, weight, bias) where x has the values of `input`.
[[nodiscard]] at::Tensor codedLinear(const at::Tensor& x, const c10::intrusive_ptr<CodedInput>& input, const at::Tensor& weight,
                                     const at::Tensor& bias);

} // namespace qw::quant
