// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/tasks_ops.h"

#include "checkpoint/checkpoint.h"
#include "engine/loaded_model.h"
#include "export/folders.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/equal.h>
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

at::Tensor probe(const model::Decoder& decoder) {
    const at::NoGradGuard noGrad;
    model::Rows rows;
    rows.ids = probeIds(decoder.config().vocab, decoder.device());
    return decoder.logits(decoder.hidden(rows)).to(at::kFloat).to(at::kCPU);
}

} // namespace

Result<std::string> exportTask(const std::string& params, const TaskContext& context) {
    const json p = json::parse(params, nullptr, false);
    const std::string source = p.value("source", "");
    QW_TRY(const auto files, checkpoint::Checkpoint::open(source));
    context.emit(wire::Progress{"export", "folders", 0, 1, -1});
    QW_TRY(auto loaded, LoadedModel::open(source, "cpu", ""));
    QW_TRY(const auto written, exporter::writeHuggingFace(loaded->decoder(), p.value("sides", source), p.value("out", ""), files.dtype(),
                                                          p.value("overwrite", false)));
    context.emit(wire::Progress{"export", "folders", 1, 1, 0});
    return json{{"bytes", written.bytes}, {"xxh3", written.hash}}.dump();
}

Result<std::string> exportCheckTask(const std::string& params, const TaskContext& context) {
    const json p = json::parse(params, nullptr, false);
    context.emit(wire::Progress{"check", "folders", 0, 2, -1});
    QW_TRY(auto reference, LoadedModel::open(p.value("reference", ""), "cpu", ""));
    context.emit(wire::Progress{"check", "folders", 1, 2, -1});
    QW_TRY(auto exported, LoadedModel::open(p.value("exported", ""), "cpu", ""));
    const auto& a = reference->decoder().parameters();
    const auto& b = exported->decoder().parameters();
    int64_t equal = 0;
    std::string different;
    for (size_t i = 0; i < a.size(); ++i) {
        const bool same = i < b.size() && a[i].name == b[i].name && a[i].tensor.scalar_type() == b[i].tensor.scalar_type() &&
                          at::equal(a[i].tensor, b[i].tensor);
        equal += same;
        if (!same && different.empty()) different = a[i].name;
    }
    const at::Tensor delta = probe(reference->decoder()).sub(probe(exported->decoder())).abs();
    context.emit(wire::Progress{"check", "folders", 2, 2, 0});
    return json{{"tensors", a.size()},
                {"equal", equal},
                {"different", different},
                {"logits_max", delta.max().item<double>()},
                {"logits_mean", delta.mean().item<double>()},
                {"tokens", kProbeRows * kProbeTokens}}
        .dump();
}

} // namespace qw::engine
