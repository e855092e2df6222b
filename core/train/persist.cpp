// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/persist.h"

#include "base/digest.h"
#include "train/environment.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <algorithm>

namespace qw::train {
namespace {

constexpr const char* kTelemetry = "telemetry/";

at::Tensor onHost(const at::Tensor& tensor) { return tensor.detach().to(at::kCPU).contiguous(); }

Status restore(const Loaded& from, const std::string& name, const at::Tensor& into) {
    QW_TRY(const at::Tensor stored, from.read(name));
    if (stored.sizes() != into.sizes() || stored.scalar_type() != into.scalar_type())
        return Error{"file.corrupt", from.dir.string() + ": tensor " + name + " has another shape or type than the model", {}, {}, false};
    into.detach().copy_(stored);
    return {};
}

} // namespace

Snapshot liveSnapshot(const Job& job, const Optimizer& optimizer, const StoredState& stored) {
    Snapshot snapshot;
    snapshot.step = stored.state.step;
    snapshot.stateJson = toJson(stored);
    snapshot.configHash = stored.configHash;
    for (const Slot& slot : optimizer.slots()) {
        snapshot.model.push_back({slot.name, slot.param.detach()});
        if (job.recipe.checkpoint.weightsOnly) continue;
        for (const auto& [suffix, tensor] : optimizer.state(slot)) snapshot.optim.push_back({slot.name + "/" + suffix, tensor.detach()});
    }
    if (job.quantizer)
        for (const auto& [name, tensor] : job.quantizer->telemetryState()) snapshot.optim.push_back({kTelemetry + name, tensor.detach()});
    return snapshot;
}

Snapshot onHost(Snapshot live) {
    for (auto* part : {&live.model, &live.optim})
        for (NamedTensor& one : *part) one.tensor = onHost(one.tensor);
    return live;
}

Snapshot copyOf(Snapshot live, const Snapshot& buffers) {
    const auto fill = [](std::vector<NamedTensor>& tensors, const std::vector<NamedTensor>& free) {
        for (size_t i = 0; i < tensors.size(); ++i) {
            const at::Tensor from = tensors[i].tensor;
            const bool fits = i < free.size() && free[i].tensor.sizes() == from.sizes() && free[i].tensor.dtype() == from.dtype();
            tensors[i].tensor = fits ? free[i].tensor : at::empty(from.sizes(), from.options().device(at::kCPU));
            tensors[i].tensor.copy_(from);
        }
    };
    fill(live.model, buffers.model);
    fill(live.optim, buffers.optim);
    return live;
}

Status restoreTelemetry(const Loaded& from, quant::Quantizer& quantizer) {
    const std::string prefix = std::string("optim/") + kTelemetry;
    std::vector<std::pair<std::string, at::Tensor>> state;
    for (auto it = from.tensors.lower_bound(prefix); it != from.tensors.end() && it->first.starts_with(prefix); ++it) {
        QW_TRY(const at::Tensor tensor, from.read(it->first));
        state.emplace_back(it->first.substr(prefix.size()), tensor);
    }
    quantizer.restoreTelemetry(state);
    return {};
}

Status restoreTensors(const Loaded& from, Optimizer& optimizer, bool weightsOnly) {
    const at::NoGradGuard noGrad;
    for (const Slot& slot : optimizer.slots()) {
        QW_CHECK(restore(from, "model/" + slot.name, slot.param));
        if (weightsOnly) continue;
        for (const auto& [suffix, tensor] : optimizer.state(slot)) QW_CHECK(restore(from, "optim/" + slot.name + "/" + suffix, tensor));
    }
    return {};
}

std::string frozenDigest(const model::Decoder& decoder, const std::vector<std::string>& frozen) {
    if (frozen.empty()) return "none";
    Xxh3 hash;
    for (const model::Parameter& parameter : decoder.parameters()) {
        if (std::ranges::find(frozen, parameter.name) == frozen.end()) continue;
        const at::Tensor bytes = onHost(parameter.tensor);
        hash.add(parameter.name);
        hash.add(bytes.const_data_ptr(), bytes.nbytes());
    }
    return hash.hex();
}

Status restoreWeights(const Loaded& from, const model::Decoder& decoder) {
    const at::NoGradGuard noGrad;
    QW_TRY(const StoredState stored, parseState(from.stateJson));
    std::vector<std::string> missing;
    for (const model::Parameter& parameter : decoder.parameters())
        if (from.tensors.contains("model/" + parameter.name))
            QW_CHECK(restore(from, "model/" + parameter.name, parameter.tensor));
        else
            missing.push_back(parameter.name);
    const auto frozen = stored.fixed.find(kFrozenFact);
    if (frozen != stored.fixed.end() && frozen->second == frozenDigest(decoder, missing)) return {};
    return Error{"train.resume_refused",
                 from.dir.string() + " does not fit the model that its run began with: weights that were not trained are others now",
                 "restore the model folder that the recipe names",
                 {},
                 false};
}

} // namespace qw::train
