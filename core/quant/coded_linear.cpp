// SPDX-License-Identifier: GPL-3.0-or-later
#include "quant/coded_linear.h"

#include <ATen/ExpandUtils.h>
#include <ATen/ops/linear.h>
#include <optional>
#include <torch/csrc/autograd/custom_function.h>

namespace qw::quant {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct CodedLinear : torch::autograd::Function<CodedLinear> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                              const std::optional<at::Tensor>& bias, const c10::intrusive_ptr<CodedInput>& input) {
        context->save_for_backward({weight});
        context->saved_data["shape"] = x.sizes().vec();
        context->saved_data["bias"] = bias && bias->requires_grad();
        context->saved_data["x"] = x.requires_grad();
        if (weight.requires_grad()) {
            ++input->users;
            context->saved_data["input"] = c10::IValue::make_capsule(input);
        }
        return at::linear(x, weight, bias);
    }

    // The products that autograd derives for a linear, in the same orientation: other strides could give other bits.
    static variable_list backward(AutogradContext* context, const variable_list& grads) {
        const at::Tensor weight = context->get_saved_variables()[0];
        const at::Tensor grad = grads[0].reshape({-1, weight.size(0)});
        at::Tensor toX, toWeight, toBias;
        if (context->saved_data["x"].toBool()) toX = grad.mm(weight).view(context->saved_data["shape"].toIntVector());
        if (const auto found = context->saved_data.find("input"); found != context->saved_data.end()) {
            const auto capsule = found->second.toCapsule();
            toWeight = grad.t().mm(static_cast<CodedInput*>(capsule.get())->take());
        }
        const int64_t outputs = weight.size(0);
        if (context->saved_data["bias"].toBool()) toBias = at::sum_to(grad, at::IntArrayRef(outputs));
        return {toX, toWeight, toBias, at::Tensor()};
    }
};

} // namespace

at::Tensor CodedInput::take() {
    if (!values.defined()) values = valuesOf(grid, codes, scale, zero);
    const at::Tensor taken = values;
    if (--users <= 0) values.reset();
    return taken;
}

at::Tensor codedLinear(const at::Tensor& x, const c10::intrusive_ptr<CodedInput>& input, const at::Tensor& weight, const at::Tensor& bias) {
    // An undefined tensor is no input of a node.
    return CodedLinear::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt, input);
}

} // namespace qw::quant
