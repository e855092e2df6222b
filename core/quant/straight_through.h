// SPDX-License-Identifier: GPL-3.0-or-later
// What: gives a fake-quantized tensor its place in the autograd graph: the gradient passes where the value was inside the range.
#pragma once

#include "quant/fake_quant_ops.h"

namespace qw::quant {

// q.y with the gradient of x: masked by q.mask, or unchanged when there is no mask (ste: identity). Returns q.y itself when no gradient is
// asked.
[[nodiscard]] at::Tensor straightThrough(const at::Tensor& x, const FakeQuantized& q, const numerics::Grid& grid);
[[nodiscard]] bool wantsGradient(const at::Tensor& x);

} // namespace qw::quant
