// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/bad_layer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linear.h>

namespace qw::train {
namespace {

bool allFinite(const at::Tensor& t) { return !t.defined() || at::isfinite(t).all().item<bool>(); }

// Stands in front of the hook in use and notes the first module that turns finite numbers into others.
class FiniteProbe final : public model::LinearHook {
public:
    FiniteProbe(const model::Decoder& decoder, model::LinearHook* inner) : m_decoder(decoder), m_inner(inner) {}
    [[nodiscard]] const std::string& found() const { return m_found; }

    at::Tensor linear(int module, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) override {
        look(x, "the input of " + name(module));
        return look(m_inner ? m_inner->linear(module, x, weight, bias) : at::linear(x, weight, bias), "the output of " + name(module));
    }
    at::Tensor embed(int module, const at::Tensor& ids, const at::Tensor& weight, int64_t padId) override {
        return look(m_inner ? m_inner->embed(module, ids, weight, padId) : at::embedding(weight, ids, padId),
                    "the output of " + name(module));
    }
    at::Tensor weight(int module, const at::Tensor& weight) override {
        return look(m_inner ? m_inner->weight(module, weight) : weight, "the matrix of " + name(module));
    }
    at::Tensor input(int module, const at::Tensor& x) override {
        return look(m_inner ? m_inner->input(module, x) : x, "the input of " + name(module));
    }

private:
    [[nodiscard]] const std::string& name(int module) const { return m_decoder.modules()[static_cast<size_t>(module)].name; }
    at::Tensor look(const at::Tensor& value, const std::string& where) {
        if (m_found.empty() && !allFinite(value)) m_found = where;
        return value;
    }

    const model::Decoder& m_decoder;
    model::LinearHook* m_inner;
    std::string m_found;
};

std::string badForward(Job& job, const StepData& step) {
    FiniteProbe probe(job.decoder, job.quantizer);
    job.decoder.setHook(&probe);
    for (const Batch& batch : step.batches) {
        if (!probe.found().empty()) break;
        const at::Tensor hidden = job.decoder.hidden(batch.rows);
        (void)job.decoder.headInput(hidden);
        (void)job.decoder.headWeight();
    }
    job.decoder.setHook(job.quantizer);
    return probe.found();
}

} // namespace

std::string firstBadPlace(Job& job, const Optimizer& optimizer, const StepData& step) {
    const at::NoGradGuard noGrad;
    for (const model::Parameter& parameter : job.decoder.parameters())
        if (!allFinite(parameter.tensor)) return "the weight " + parameter.name;
    const std::string forward = badForward(job, step);
    if (!forward.empty()) return forward;
    // Backward runs from the last parameter to the first: the last bad one was the first to go wrong.
    const std::vector<Slot>& slots = optimizer.slots();
    for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot)
        if (!allFinite(slot->gradSum.defined() ? slot->gradSum : slot->param.grad())) return "the gradient of " + slot->name;
    return "the loss";
}

} // namespace qw::train
