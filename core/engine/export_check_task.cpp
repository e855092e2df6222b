// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/tasks_ops.h"

#include "engine/loaded_model.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/max.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/sub.h>
#include <nlohmann/json.hpp>

namespace qw::engine {
namespace {

using nlohmann::json;
constexpr int64_t kProbeRows = 4, kProbeTokens = 64;

// Ids over the whole vocabulary by a fixed rule, so that two checks of one folder see the same numbers.
at::Tensor probeIds(int64_t vocab, at::Device device) {
    at::Tensor ids = at::randint(vocab, {kProbeRows, kProbeTokens}, at::TensorOptions(at::kLong));
    auto* id = ids.mutable_data_ptr<int64_t>();
    uint64_t state = 42;
    for (int64_t i = 0; i < ids.numel(); ++i) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL; // Knuth, MMIX
        id[i] = static_cast<int64_t>((state >> 33) % static_cast<uint64_t>(vocab));
    }
    return ids.to(device);
}

Result<at::Tensor> probeFolder(const std::string& folder) {
    QW_TRY(const auto loaded, LoadedModel::open(folder, "cpu", ""));
    const model::Decoder& decoder = loaded->decoder();
    const at::NoGradGuard noGrad;
    model::Rows rows;
    rows.ids = probeIds(decoder.config().vocab, decoder.device());
    return decoder.logits(decoder.hidden(rows)).to(at::kFloat).to(at::kCPU);
}

} // namespace

Result<std::string> exportCheckTask(const std::string& params, const TaskContext& context) {
    const json p = json::parse(params, nullptr, false);
    context.emit(wire::Progress{"check", "folders", 0, 2, -1});
    QW_TRY(const at::Tensor want, probeFolder(p.value("reference", ""))); // one model in memory at a time
    context.emit(wire::Progress{"check", "folders", 1, 2, -1});
    QW_TRY(const at::Tensor have, probeFolder(p.value("exported", "")));
    const at::Tensor delta = want.sub(have).abs();
    const at::Tensor sameTop = want.argmax(-1).eq(have.argmax(-1));
    context.emit(wire::Progress{"check", "folders", 2, 2, 0});
    return json{{"logits_max", delta.max().item<double>()},
                {"logits_mean", delta.mean().item<double>()},
                {"logits_scale", want.abs().max().item<double>()},
                {"same_top", sameTop.to(at::kDouble).mean().item<double>()},
                {"tokens", kProbeRows * kProbeTokens}}
        .dump();
}

} // namespace qw::engine
