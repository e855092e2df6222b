// SPDX-License-Identifier: GPL-3.0-or-later
#include "quant/straight_through.h"

#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/custom_function.h>

namespace qw::quant {

namespace {

struct GridHolder : torch::CustomClassHolder {
    numerics::Grid grid;
    explicit GridHolder(const numerics::Grid& value) : grid(value) {}
};

struct StraightThrough : torch::autograd::Function<StraightThrough> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& /*x*/, const FakeQuantized& q,
                              const numerics::Grid& grid) {
        if (q.mask.defined()) {
            context->save_for_backward({q.mask});
            context->saved_data["grid"] = c10::IValue::make_capsule(c10::make_intrusive<GridHolder>(grid));
        }
        return q.y.detach(); // a tensor of its own: the cached one must not get a history
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, const torch::autograd::variable_list& grads) {
        const auto saved = context->get_saved_variables();
        if (saved.empty()) return {grads[0], at::Tensor(), at::Tensor()};
        const auto capsule = context->saved_data["grid"].toCapsule();
        const numerics::Grid& grid = static_cast<GridHolder*>(capsule.get())->grid;
        // Nobody else sees a gradient that only this node holds: few of its elements are cleared, none is copied.
        const bool mine = grads[0].use_count() == 1 && grads[0].storage().use_count() == 1;
        return {mine ? maskedInPlace(grid, saved[0], grads[0]) : masked(grid, saved[0], grads[0]), at::Tensor(), at::Tensor()};
    }
};

} // namespace

bool wantsGradient(const at::Tensor& x) { return at::GradMode::is_enabled() && x.requires_grad(); }

at::Tensor straightThrough(const at::Tensor& x, const FakeQuantized& q, const numerics::Grid& grid) {
    return wantsGradient(x) ? StraightThrough::apply(x, q, grid) : q.y;
}

} // namespace qw::quant
