// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/persist.h"

#include "base/digest.h"

#include <ATen/core/grad_mode.h>
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

Snapshot takeSnapshot(const Job& job, const Optimizer& optimizer, const StoredState& stored) {
    Snapshot snapshot;
    snapshot.step = stored.state.step;
    snapshot.stateJson = toJson(stored);
    snapshot.configHash = stored.configHash;
    for (const Slot& slot : optimizer.slots()) {
        snapshot.model.push_back({slot.name, onHost(slot.param)});
        if (job.recipe.checkpoint.weightsOnly) continue;
        for (const auto& [suffix, tensor] : optimizer.state(slot)) snapshot.optim.push_back({slot.name + "/" + suffix, onHost(tensor)});
    }
    if (job.quantizer)
        for (const auto& [name, tensor] : job.quantizer->telemetryState()) snapshot.optim.push_back({kTelemetry + name, onHost(tensor)});
    return snapshot;
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

std::string frozenDigest(const model::Decoder& decoder, const Optimizer& optimizer) {
    if (optimizer.frozen().empty()) return "none";
    Xxh3 hash;
    for (const model::Parameter& parameter : decoder.parameters()) {
        if (std::find(optimizer.frozen().begin(), optimizer.frozen().end(), parameter.name) == optimizer.frozen().end()) continue;
        const at::Tensor bytes = onHost(parameter.tensor);
        hash.add(parameter.name);
        hash.add(bytes.const_data_ptr(), bytes.nbytes());
    }
    return hash.hex();
}

} // namespace qw::train
