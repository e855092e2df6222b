// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/loss.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_log_softmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <algorithm>
#include <torch/csrc/autograd/custom_function.h>

namespace qw::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kBudgetBytes = 256LL << 20;

at::Tensor deviceTensor(const std::vector<int64_t>& values, at::Device device) {
    return at::tensor(values, at::TensorOptions().dtype(at::kLong)).to(device);
}

// Log-probabilities of a chunk in fp32; the logits are gone when it returns.
at::Tensor logProbabilities(const at::Tensor& rows, const at::Tensor& weight) {
    at::Tensor logits = at::mm(rows, weight.t());
    if (logits.scalar_type() != at::kFloat) logits = logits.to(at::kFloat);
    return at::_log_softmax(logits, -1, false);
}

struct LinearCrossEntropy : torch::autograd::Function<LinearCrossEntropy> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& keep,
                              const at::Tensor& labels, double scale, int64_t rowsPerChunk, bool wantHidden, bool wantWeight) {
        const at::Tensor flat = hidden.detach().reshape({-1, hidden.size(-1)});
        const at::Tensor matrix = weight.detach();
        const int64_t count = keep.numel();
        at::Tensor gradFlat = wantHidden ? at::zeros_like(flat) : at::Tensor();
        at::Tensor gradWeight = wantWeight ? at::zeros_like(matrix) : at::Tensor();
        at::Tensor loss = at::zeros({}, matrix.options().dtype(at::kDouble));
        for (int64_t at = 0; at < count; at += rowsPerChunk) {
            const int64_t n = std::min(rowsPerChunk, count - at);
            const at::Tensor index = keep.narrow(0, at, n);
            const at::Tensor target = labels.narrow(0, at, n).unsqueeze(1);
            const at::Tensor rows = at::index_select(flat, 0, index);
            at::Tensor d = logProbabilities(rows, matrix);
            loss.sub_(at::gather(d, 1, target).sum(at::kDouble));
            if (!wantHidden && !wantWeight) continue;
            d.exp_();                                                                    // p
            d.scatter_add_(1, target, at::ones({n, 1}, d.options()).neg_()).mul_(scale); // (p - onehot) * scale
            d = d.to(matrix.scalar_type());
            if (wantHidden) gradFlat.index_copy_(0, index, at::mm(d, matrix));
            if (wantWeight) gradWeight.addmm_(d.t(), rows);
        }
        context->saved_data["hiddenShape"] = hidden.sizes().vec();
        context->save_for_backward({gradFlat, gradWeight});
        return loss.mul_(scale).to(at::kFloat);
    }

    static variable_list backward(AutogradContext* context, const variable_list& grads) {
        const variable_list saved = context->get_saved_variables();
        const auto scaled = [&](const at::Tensor& stored) {
            // Exactly 1 in our loop; the product is skipped there because it would read and write everything again.
            if (!stored.defined() || (grads[0].is_cpu() && grads[0].item<float>() == 1.0F)) return stored;
            return stored.mul(grads[0].to(stored.scalar_type()));
        };
        at::Tensor hidden = scaled(saved[0]);
        if (hidden.defined()) hidden = hidden.view(context->saved_data["hiddenShape"].toIntVector());
        return {hidden, scaled(saved[1]), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

} // namespace

int64_t chunkRows(int64_t vocab, at::ScalarType type) {
    const int64_t element = type == at::kFloat ? 8 : 10; // logits and log-probabilities; bf16 logits are copied once more
    return std::max<int64_t>(64, kBudgetBytes / (vocab * element));
}

at::Tensor linearCrossEntropy(const at::Tensor& hidden, const at::Tensor& weight, const std::vector<int64_t>& keep,
                              const std::vector<int64_t>& labels, double scale, int64_t rowsPerChunk) {
    if (rowsPerChunk <= 0) rowsPerChunk = chunkRows(weight.size(0), weight.scalar_type());
    const bool on = at::GradMode::is_enabled();
    return LinearCrossEntropy::apply(hidden, weight, deviceTensor(keep, hidden.device()), deviceTensor(labels, hidden.device()), scale,
                                     rowsPerChunk, on && hidden.requires_grad(), on && weight.requires_grad());
}

at::Tensor crossEntropyRows(const at::Tensor& hidden, const at::Tensor& weight, const std::vector<int64_t>& keep,
                            const std::vector<int64_t>& labels, int64_t rowsPerChunk) {
    const at::NoGradGuard noGrad;
    if (rowsPerChunk <= 0) rowsPerChunk = chunkRows(weight.size(0), weight.scalar_type());
    const at::Tensor flat = hidden.reshape({-1, hidden.size(-1)});
    const at::Tensor index = deviceTensor(keep, hidden.device());
    const at::Tensor target = deviceTensor(labels, hidden.device());
    const int64_t count = index.numel();
    at::Tensor out = at::empty({count}, flat.options().dtype(at::kFloat));
    for (int64_t at = 0; at < count; at += rowsPerChunk) {
        const int64_t n = std::min(rowsPerChunk, count - at);
        const at::Tensor logs = logProbabilities(at::index_select(flat, 0, index.narrow(0, at, n)), weight);
        out.narrow(0, at, n).copy_(at::gather(logs, 1, target.narrow(0, at, n).unsqueeze(1)).squeeze(1).neg_());
    }
    return out;
}

} // namespace qw::train
