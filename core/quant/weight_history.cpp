// SPDX-License-Identifier: GPL-3.0-or-later
#include "quant/weight_history.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/scalar_tensor.h>

#include <algorithm>
#include <cstdlib>

namespace qw::quant {

namespace {

constexpr int64_t kSampled = 65536;

// Rows at an even stride; a per-tensor grid has one scale for all rows, so it is kept whole.
FakeQuantized sampledRows(const at::Tensor& weight, numerics::Grid grid) {
    const bool perTensor = grid.group > weight.size(1);
    const int64_t rows = weight.size(0), keep = std::clamp<int64_t>(kSampled / std::max<int64_t>(1, weight.size(1)), 1, rows);
    const int64_t stride = perTensor ? 1 : (rows + keep - 1) / keep;
    const at::Tensor part = weight.detach().slice(0, 0, rows, stride).to(torchType(grid.type)).contiguous();
    if (!perTensor) grid.rows = part.size(0);
    Wanted wanted;
    wanted.y = false;
    wanted.codes = wanted.params = true;
    FakeQuantized q = fakeQuantize(grid, part, wanted);
    q.scale = q.scale.to(at::kFloat);
    return q;
}

} // namespace

void WeightHistory::start(int module, const at::Tensor& weight, const numerics::Grid& grid) {
    const at::NoGradGuard noGrad;
    const FakeQuantized q = sampledRows(weight, grid);
    m_past[module] = {q.scale, q.codes, 0};
}

LayerTelemetry WeightHistory::sample(int module, const at::Tensor& weight, const numerics::Grid& grid, int64_t step) {
    const at::NoGradGuard noGrad;
    LayerTelemetry t;
    numerics::Stats stats;
    Wanted wanted;
    wanted.y = false;
    wanted.stats = &stats;
    (void)fakeQuantize(grid, weight.detach().to(torchType(grid.type)), wanted);
    t.wSqnrDb = stats.sqnrDb();
    t.clipFraction = stats.count > 0 ? static_cast<double>(stats.clipped) / static_cast<double>(stats.count) : 0;

    Past& past = m_past[module];
    const FakeQuantized now = sampledRows(weight, grid);
    const at::Tensor drift = (now.scale / past.firstScale).log2().abs();
    t.scaleDriftMean = drift.mean().item<double>();
    t.scaleDriftMax = drift.max().item<double>();
    const int64_t at = step < 0 ? m_changes : step;
    const double changed = static_cast<double>(now.codes.ne(past.codes).sum().item<int64_t>()) / static_cast<double>(now.codes.numel());
    t.flipRate = changed / static_cast<double>(std::max<int64_t>(1, at - past.step));
    past.codes = now.codes;
    past.step = at;
    return t;
}

std::vector<std::pair<std::string, at::Tensor>> WeightHistory::state() const {
    std::vector<std::pair<std::string, at::Tensor>> out;
    for (const auto& [module, past] : m_past) {
        const std::string name = std::to_string(module);
        out.emplace_back(name + ".codes", past.codes);
        out.emplace_back(name + ".scale", past.firstScale);
        out.emplace_back(name + ".step", at::scalar_tensor(past.step, at::TensorOptions(at::kLong)));
    }
    return out;
}

void WeightHistory::restore(const std::vector<std::pair<std::string, at::Tensor>>& state) {
    for (const auto& [name, tensor] : state) {
        const size_t dot = name.find('.');
        const auto found = m_past.find(std::atoi(name.c_str()));
        if (dot == std::string::npos || found == m_past.end()) continue;
        const std::string part = name.substr(dot + 1);
        if (part == "codes" && tensor.sizes() == found->second.codes.sizes())
            found->second.codes = tensor.to(found->second.codes.device());
        else if (part == "scale" && tensor.sizes() == found->second.firstScale.sizes())
            found->second.firstScale = tensor.to(found->second.firstScale.device());
        else if (part == "step")
            found->second.step = tensor.item<int64_t>();
    }
}

} // namespace qw::quant
