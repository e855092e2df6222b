// SPDX-License-Identifier: GPL-3.0-or-later
#include "formats/gguf_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>

namespace qw::formats {
namespace {

using checkpoint::ModelConfig;
using checkpoint::Rope;

struct Row {
    const char *modelType, *gguf;
    bool permuted; // its readers rotate neighbouring channels
};
constexpr std::array kRows{Row{"llama", "llama", true}, Row{"mistral", "llama", true}, Row{"qwen2", "qwen2", false},
                           Row{"qwen3", "qwen3", false}};
const Row* rowOf(const ModelConfig& config) {
    const auto at = std::ranges::find_if(kRows, [&](const Row& row) { return config.modelType == row.modelType; });
    return at == kRows.end() ? nullptr : &*at;
}

bool hasWindow(const ModelConfig& config) {
    return std::ranges::any_of(config.window, [&](int64_t window) { return window > 0 && window < config.maxPositions; });
}

std::string refusedRope(const Rope& rope) {
    if (rope.type == "longrope") return "rotary embeddings of type longrope have no words in GGUF for this architecture";
    const bool plain =
        rope.betaFast == 32 && rope.betaSlow == 1 && rope.truncate && !rope.attentionFactor && !rope.mscale && !rope.mscaleAllDim;
    if (rope.type == "yarn" && !plain) return "yarn with its own betas, truncation or attention factor has no words in GGUF";
    return {};
}

} // namespace

std::string refusedByGguf(const ModelConfig& config) {
    const Row* row = rowOf(config);
    if (!row) return "architecture " + config.modelType + " has no row in the GGUF writer: llama, mistral, qwen2 and qwen3 have";
    if (config.activation != "silu") return "llama.cpp computes " + config.modelType + " with silu, the model has " + config.activation;
    if (!row->permuted && hasWindow(config)) return "llama.cpp knows no sliding window of " + config.modelType + ", the model has one";
    if (!row->permuted && (config.biasO || config.biasMlp)) return "GGUF has no biases of o_proj or the MLP for " + config.modelType;
    if (config.modelType == "qwen3" && config.biasQkv) return "GGUF has no biases of q, k and v for qwen3";
    return refusedRope(config.rope);
}

std::vector<std::string> ggufNotes(const ModelConfig& config) {
    std::vector<std::string> out;
    if (hasWindow(config))
        out.push_back("the sliding window is not in the file: llama.cpp attends to everything, which differs beyond " +
                      std::to_string(*std::ranges::max_element(config.window)) + " tokens");
    if (config.rope.type == "dynamic")
        out.push_back("dynamic rotary scaling is not in the file: it acts beyond " + std::to_string(config.maxPositions) + " tokens only");
    return out;
}

std::string ggufName(const checkpoint::Checkpoint& source) {
    const auto count = static_cast<double>(source.parameters());
    std::array<char, 32> size{};
    if (count >= 1e9)
        std::snprintf(size.data(), size.size(), "%.1fB", count / 1e9);
    else if (count >= 1e6)
        std::snprintf(size.data(), size.size(), "%.0fM", count / 1e6);
    else
        std::snprintf(size.data(), size.size(), "%.0fK", count / 1e3);
    return source.config().modelType + "-" + size.data();
}

void addArchitecture(GgufMetadata& metadata, const checkpoint::Checkpoint& source, GgufType most) {
    const ModelConfig& config = source.config();
    const std::string a = rowOf(config)->gguf;
    const auto number = [&](const char* key, int64_t value) { metadata.number(a + key, static_cast<uint32_t>(value)); };
    metadata.text("general.architecture", a);
    metadata.text("general.type", "model");
    metadata.text("general.name", ggufName(source));
    metadata.number("general.file_type", fileType(most));
    metadata.number("general.quantization_version", 2);
    number(".context_length", config.maxPositions);
    number(".embedding_length", config.hidden);
    number(".block_count", config.layers);
    number(".feed_forward_length", config.intermediate);
    number(".attention.head_count", config.heads);
    number(".attention.head_count_kv", config.kvHeads);
    number(".attention.key_length", config.headDim);
    number(".attention.value_length", config.headDim);
    metadata.real(a + ".attention.layer_norm_rms_epsilon", config.rmsEps);
    metadata.real(a + ".rope.freq_base", config.rope.theta);
    number(".rope.dimension_count", config.headDim);
    number(".vocab_size", config.vocab);
    if (config.rope.type == "linear" || config.rope.type == "yarn") {
        metadata.text(a + ".rope.scaling.type", config.rope.type);
        metadata.real(a + ".rope.scaling.factor", config.rope.factor);
        if (config.rope.type == "yarn") number(".rope.scaling.original_context_length", config.rope.originalMaxPositions);
    }
}

std::vector<int64_t> ggufRows(const ModelConfig& config, const std::string& name) {
    const bool q = name.find(".q_proj.") != std::string::npos, k = name.find(".k_proj.") != std::string::npos;
    if (!rowOf(config)->permuted || (!q && !k)) return {};
    const int64_t half = config.headDim / 2;
    std::vector<int64_t> out;
    for (int64_t head = 0; head < (q ? config.heads : config.kvHeads); ++head)
        for (int64_t i = 0; i < half; ++i)
            for (int64_t j = 0; j < 2; ++j) out.push_back(head * config.headDim + j * half + i);
    return out;
}

std::optional<std::vector<float>> ropeFrequencyFactors(const ModelConfig& config) {
    const Rope& rope = config.rope;
    if (rope.type != "llama3") return std::nullopt;
    const double original = static_cast<double>(rope.originalMaxPositions);
    std::vector<float> out;
    for (int64_t i = 0; i < config.headDim / 2; ++i) {
        const double f = 1.0 / std::pow(rope.theta, 2.0 * static_cast<double>(i) / static_cast<double>(config.headDim));
        const double wave = 2.0 * std::numbers::pi / f;
        double scaled = f;
        if (wave > original / rope.lowFreqFactor)
            scaled = f / rope.factor;
        else if (wave >= original / rope.highFreqFactor) {
            const double s = (original / wave - rope.lowFreqFactor) / (rope.highFreqFactor - rope.lowFreqFactor);
            scaled = (1 - s) * f / rope.factor + s * f;
        }
        out.push_back(static_cast<float>(f / scaled));
    }
    return out;
}

} // namespace qw::formats
