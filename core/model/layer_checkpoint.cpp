// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/layer_checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

namespace qw::model {
namespace {

using Layer = std::function<at::Tensor(const at::Tensor&)>;

// Lives as long as the graph node that holds it.
struct LayerHolder : torch::CustomClassHolder {
    Layer layer;
    explicit LayerHolder(Layer value) : layer(std::move(value)) {}
};

struct Recompute : torch::autograd::Function<Recompute> {
    // anchor requires a gradient, so the node is differentiable even when x is not.
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& /*anchor*/,
                              const Layer& layer) {
        context->save_for_backward({x});
        context->saved_data["needs_input"] = x.requires_grad();
        context->saved_data["layer"] = c10::IValue::make_capsule(c10::make_intrusive<LayerHolder>(layer));
        return layer(x); // Function::apply runs this without grad mode
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, const torch::autograd::variable_list& grads) {
        const auto capsule = context->saved_data["layer"].toCapsule();
        const auto& layer = static_cast<LayerHolder*>(capsule.get())->layer;
        const bool needsInput = context->saved_data["needs_input"].toBool();
        const at::AutoGradMode enable(true);
        const at::Tensor x = context->get_saved_variables()[0].detach().requires_grad_(needsInput);
        torch::autograd::backward({layer(x)}, {grads[0]});
        return {needsInput ? x.grad() : at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

} // namespace

at::Tensor checkpointed(const Layer& layer, const at::Tensor& x) {
    if (!at::GradMode::is_enabled()) return layer(x);
    const at::Tensor anchor = at::empty({0}, x.options().dtype(at::kFloat)).requires_grad_(true);
    return Recompute::apply(x, anchor, layer);
}

} // namespace qw::model
