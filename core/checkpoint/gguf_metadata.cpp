// SPDX-License-Identifier: GPL-3.0-or-later
// What: the metadata of a GGUF file against the config.json beside it: one decides how we compute, the other how every other reader does.
#include "checkpoint/quantized_modules.h"

#include <cmath>
#include <numbers>

namespace qw::checkpoint {
namespace {

using Said = std::map<std::string, std::string>;

Error differs(const std::string& key, const std::string& said, const std::string& wanted) {
    return shapeError("the GGUF says " + key + " = " + said + ", config.json says " + wanted);
}
Status compare(const Said& metadata, const std::string& key, int64_t wanted) {
    const auto at = metadata.find(key);
    if (at == metadata.end() || at->second == std::to_string(wanted)) return {};
    return differs(key, at->second, std::to_string(wanted));
}
// Stored as fp32.
Status compareReal(const Said& metadata, const std::string& key, double wanted) {
    const auto at = metadata.find(key);
    if (at == metadata.end() || std::strtof(at->second.c_str(), nullptr) == static_cast<float>(wanted)) return {};
    return differs(key, at->second, std::to_string(wanted));
}

// f / f' of models.md 3.3, llama3.
float dividedBy(const Rope& rope, double frequency) {
    const double length = 2 * std::numbers::pi / frequency, original = static_cast<double>(rope.originalMaxPositions);
    if (length > original / rope.lowFreqFactor) return static_cast<float>(rope.factor);
    if (length < original / rope.highFreqFactor) return 1;
    const double s = (original / length - rope.lowFreqFactor) / (rope.highFreqFactor - rope.lowFreqFactor);
    return static_cast<float>(1 / ((1 - s) / rope.factor + s));
}

Status compareRotary(const WeightFiles& files, const Said& said, const std::string& arch, const Rope& rope, int64_t headDim) {
    QW_CHECK(compareReal(said, arch + ".rope.freq_base", rope.theta));
    const auto type = said.find(arch + ".rope.scaling.type");
    const std::string wanted = rope.type == "linear" || rope.type == "yarn" ? rope.type : "none";
    if ((type == said.end() ? "none" : type->second) != wanted)
        return differs(arch + ".rope.scaling.type", type == said.end() ? "nothing" : type->second, wanted);
    if (wanted != "none") QW_CHECK(compareReal(said, arch + ".rope.scaling.factor", rope.factor));
    const auto* table = files.find("rope_freqs.weight");
    if ((table != nullptr) != (rope.type == "llama3"))
        return differs("rope_freqs.weight", table ? "something" : "nothing", "rope_type " + rope.type);
    if (!table) return {};
    std::vector<float> stored(static_cast<size_t>(headDim / 2));
    QW_CHECK(readPart(files, "rope_freqs.weight", "F32", {headDim / 2}, stored.data()));
    for (size_t i = 0; i < stored.size(); ++i) {
        const double frequency = std::pow(rope.theta, -2.0 * static_cast<double>(i) / static_cast<double>(headDim));
        const float factor = dividedBy(rope, frequency);
        if (!(std::abs(stored[i] - factor) <= 1e-5f * factor))
            return differs("rope_freqs.weight[" + std::to_string(i) + "]", std::to_string(stored[i]), std::to_string(factor));
    }
    return {};
}

} // namespace

Status checkGgufMetadata(const WeightFiles& files, const ModelConfig& model) {
    const auto& said = files.files.front().metadata();
    const std::string arch = model.modelType == "mistral" ? "llama" : model.modelType;
    if (said.at("general.architecture") != arch)
        return shapeError("the GGUF holds architecture " + said.at("general.architecture") + ", config.json says " + model.modelType);
    for (const auto& [key, wanted] : {std::pair{".block_count", model.layers},
                                      {".embedding_length", model.hidden},
                                      {".feed_forward_length", model.intermediate},
                                      {".attention.head_count", model.heads},
                                      {".attention.head_count_kv", model.kvHeads},
                                      {".attention.key_length", model.headDim},
                                      {".attention.value_length", model.headDim},
                                      {".rope.dimension_count", model.headDim},
                                      {".vocab_size", model.vocab},
                                      {".context_length", model.maxPositions}})
        QW_CHECK(compare(said, arch + key, wanted));
    QW_CHECK(compareReal(said, arch + ".attention.layer_norm_rms_epsilon", model.rmsEps));
    return compareRotary(files, said, arch, model.rope, model.headDim);
}

} // namespace qw::checkpoint
