// SPDX-License-Identifier: GPL-3.0-or-later
// What: a decoder's config.json (both writers' dialects) resolved against its row of the architecture table (models.md 2, 5, 6).
#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qw::checkpoint {

// models.md 3.3
struct Rope {
    std::string type = "default"; // default | linear | dynamic | llama3 | yarn | longrope
    double theta = 10000, factor = 1;
    double lowFreqFactor = 1, highFreqFactor = 4; // llama3
    double betaFast = 32, betaSlow = 1;           // yarn
    bool truncate = true;                         // yarn
    std::optional<double> attentionFactor, mscale, mscaleAllDim;
    std::optional<double> longropeFactor;        // key `factor` of longrope, when given
    int64_t originalMaxPositions = 0;            // O; already defaulted to max_position_embeddings
    std::vector<double> shortFactor, longFactor; // longrope
};

struct ModelConfig {
    std::string modelType; // llama | mistral | qwen2 | qwen3
    int64_t vocab = 0, hidden = 0, layers = 0, heads = 0, kvHeads = 0, headDim = 0, intermediate = 0, maxPositions = 0;
    double rmsEps = 1e-6;
    std::string activation = "silu"; // silu | gelu | gelu_new | gelu_pytorch_tanh | relu
    Rope rope;
    bool biasQkv = false, biasO = false, biasMlp = false;
    bool headNorm = false;       // q_norm, k_norm per head (qwen3)
    std::vector<int64_t> window; // per layer; 0 = full attention
    bool tied = false;           // as config.json says (or the class default); the files have the last word, see Checkpoint
    double initializerRange = 0.02;
    std::optional<int64_t> padId, bosId;
    std::vector<int64_t> eosIds;
    std::string dtypeHint;          // float32 | bfloat16 | float16 | empty
    std::string quantMethod;        // quantization_config.quant_method; empty: the weights are not quantized
    int64_t quantFormat = 0;        // its `format`, of our own folders
    std::vector<std::string> notes; // things worth telling the user, e.g. ignored keys
};

enum class TensorRole : uint8_t { Embedding, Head, Norm, Linear, Bias };
struct ExpectedTensor {
    std::string name; // "model.layers.0.self_attn.q_proj.weight"
    std::vector<int64_t> shape;
    TensorRole role = TensorRole::Linear;
    int layer = -1;         // -1: outside the layers
    std::string shapeWords; // "[K*D, H]" for messages
};

// model.unsupported_arch, model.format, model.shape: each names key and value.
[[nodiscard]] Result<ModelConfig> parseModelConfig(std::string_view json);
// Every tensor the architecture has, in a fixed order; lm_head.weight only when untied.
[[nodiscard]] std::vector<ExpectedTensor> expectedTensors(const ModelConfig& config, bool tied);
[[nodiscard]] std::vector<std::string> supportedArchitectures();

} // namespace qw::checkpoint
