// SPDX-License-Identifier: GPL-3.0-or-later
// What: runs one layer and keeps only its input; backward runs the layer again (activation checkpointing, arXiv:1604.06174).
#pragma once

#include <ATen/core/Tensor.h>
#include <functional>

namespace qw::model {

// layer must be a pure function of x and of leaf parameters, whose gradients it accumulates itself when it is run again.
[[nodiscard]] at::Tensor checkpointed(const std::function<at::Tensor(const at::Tensor&)>& layer, const at::Tensor& x);

} // namespace qw::model
