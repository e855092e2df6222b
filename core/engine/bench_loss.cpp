// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/bench_loss.h"

#include "base/clock.h"
#include "engine/bench_memory.h"
#include "train/loss.h"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tensor.h>
#include <cmath>
#include <numeric>

namespace qw::engine {
namespace {

struct Shape {
    int64_t hidden, vocab, tokens;
};

struct Measured {
    double seconds = 0, bytes = 0, loss = 0, gradient = 0; // gradient: sum of squares of the hidden states'
};

template<class Loss> Measured measure(const Shape& shape, at::ScalarType type, const Loss& lossOf) {
    const auto options = at::TensorOptions().dtype(at::kFloat);
    // Numbers that need no generator: the values do not matter for memory and time, only that both sides see the same.
    const auto wave = [&](int64_t rows, double step) {
        at::Tensor t = at::empty({rows, shape.hidden}, options);
        auto* data = t.mutable_data_ptr<float>();
        for (int64_t i = 0; i < t.numel(); ++i) data[i] = static_cast<float>((i * 2654435761U) % 16384) / 16384.0F - 0.5F;
        return t.mul_(step).to(type).requires_grad_(true);
    };
    const at::Tensor hidden = wave(shape.tokens, 1.0), weight = wave(shape.vocab, 0.1);
    std::vector<int64_t> labels(static_cast<size_t>(shape.tokens));
    for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int64_t>(i * 7919) % shape.vocab;
    Measured m;
    m.bytes = peakBytes([&] {
        const int64_t begin = monotonicNs();
        const at::Tensor loss = lossOf(hidden, weight, labels);
        loss.backward();
        m.seconds = static_cast<double>(monotonicNs() - begin) * 1e-9;
        m.loss = loss.template item<double>();
    });
    m.gradient = hidden.grad().to(at::kDouble).square().sum().item<double>();
    return m;
}

} // namespace

Result<records::BenchResult> benchLossMem(const BenchOptions& options) {
    // performance.md's shape with a quarter of its width: the logits, which are what is saved, stay as large, and it ends in a minute.
    const Shape shape = options.quick ? Shape{64, 4096, 256} : Shape{512, 128256, 2048};
    records::BenchResult result;
    result.name = "loss_mem";
    result.gate = "<= 0.25x memory, <= 1.05x time of F.cross_entropy(logits.float())";
    result.peer = "full logits and cross_entropy_loss of LibTorch in the same process";
    result.note = "hidden " + std::to_string(shape.hidden) + ", vocabulary " + std::to_string(shape.vocab) + ", " +
                  std::to_string(shape.tokens) + " tokens; memory includes both gradients";
    for (const auto& [name, type] : {std::pair{"fp32", at::kFloat}, std::pair{"bf16", at::kBFloat16}}) {
        const Measured full = measure(shape, type, [](const at::Tensor& h, const at::Tensor& w, const std::vector<int64_t>& labels) {
            return at::cross_entropy_loss(at::linear(h, w).to(at::kFloat), at::tensor(labels, at::TensorOptions().dtype(at::kLong)));
        });
        const Measured ours = measure(shape, type, [](const at::Tensor& h, const at::Tensor& w, const std::vector<int64_t>& labels) {
            std::vector<int64_t> keep(labels.size());
            std::iota(keep.begin(), keep.end(), int64_t{0});
            return train::linearCrossEntropy(h, w, keep, labels, 1.0 / static_cast<double>(labels.size()));
        });
        const std::string of = name;
        result.figures.push_back({of + " full logits", full.bytes * 1e-6, "MB"});
        result.figures.push_back({of + " chunked", ours.bytes * 1e-6, "MB"});
        result.figures.push_back({of + " memory ratio", ours.bytes / full.bytes, "x", std::nullopt, 0.25});
        result.figures.push_back({of + " full logits time", full.seconds, "s"});
        result.figures.push_back({of + " chunked time", ours.seconds, "s"});
        result.figures.push_back({of + " time ratio", ours.seconds / full.seconds, "x", std::nullopt, 1.05});
        const double tolerance = type == at::kFloat ? 1e-5 : 1e-2; // bf16 logits are rounded by one side only
        const bool same = std::abs(ours.loss / full.loss - 1) < tolerance && std::abs(ours.gradient / full.gradient - 1) < 3 * tolerance;
        if (!same) {
            result.note += "; " + of + ": loss or gradient differ";
            result.met = false;
        }
    }
    return result;
}

} // namespace qw::engine
