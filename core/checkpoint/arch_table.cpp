// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/arch_table.h"

#include <algorithm>

namespace qw::checkpoint {
namespace {

// Defaults: configuration_{llama,mistral,qwen2,qwen3}.py of huggingface/transformers.
constexpr std::array kRows{
    ArchRow{.modelType = "llama",
            .aliases = {},
            .classes = {"LlamaForCausalLM"},
            .vocab = 32000,
            .hidden = 4096,
            .intermediate = 11008,
            .layers = 32,
            .heads = 32,
            .kvHeads = 0,
            .headDim = 0,
            .maxPositions = 2048,
            .rmsEps = 1e-6,
            .theta = 1e4,
            .tied = false,
            .window = 0,
            .maxWindowLayers = 0,
            .windowRule = WindowRule::None,
            .layerTypes = false,
            .attention = BiasRule::Key,
            .mlpBiasKey = true,
            .headNorm = false,
            .bos = 1,
            .eos = 2,
            .rotaryBuffers = true},
    ArchRow{.modelType = "mistral",
            .aliases = {"ministral"},
            .classes = {"MistralForCausalLM", "MinistralForCausalLM"},
            .vocab = 32000,
            .hidden = 4096,
            .intermediate = 14336,
            .layers = 32,
            .heads = 32,
            .kvHeads = 8,
            .headDim = 0,
            .maxPositions = 131072,
            .rmsEps = 1e-6,
            .theta = 1e4,
            .tied = false,
            .window = 4096,
            .maxWindowLayers = 0,
            .windowRule = WindowRule::EveryLayer,
            .layerTypes = true,
            .attention = BiasRule::Never,
            .mlpBiasKey = false,
            .headNorm = false,
            .bos = 1,
            .eos = 2,
            .rotaryBuffers = true},
    ArchRow{.modelType = "qwen2",
            .aliases = {},
            .classes = {"Qwen2ForCausalLM"},
            .vocab = 151936,
            .hidden = 4096,
            .intermediate = 22016,
            .layers = 32,
            .heads = 32,
            .kvHeads = 32,
            .headDim = 0,
            .maxPositions = 32768,
            .rmsEps = 1e-6,
            .theta = 1e4,
            .tied = false,
            .window = 4096,
            .maxWindowLayers = 28,
            .windowRule = WindowRule::FromMaxWindowLayers,
            .layerTypes = true,
            .attention = BiasRule::QkvAlways,
            .mlpBiasKey = false,
            .headNorm = false,
            .bos = -1,
            .eos = -1,
            .rotaryBuffers = false},
    ArchRow{.modelType = "qwen3",
            .aliases = {},
            .classes = {"Qwen3ForCausalLM"},
            .vocab = 151936,
            .hidden = 4096,
            .intermediate = 22016,
            .layers = 32,
            .heads = 32,
            .kvHeads = 32,
            .headDim = 128,
            .maxPositions = 32768,
            .rmsEps = 1e-6,
            .theta = 1e4,
            .tied = false,
            .window = 4096,
            .maxWindowLayers = 28,
            .windowRule = WindowRule::FromMaxWindowLayers,
            .layerTypes = true,
            .attention = BiasRule::Key,
            .mlpBiasKey = false,
            .headNorm = true,
            .bos = -1,
            .eos = -1,
            .rotaryBuffers = false},
};

constexpr std::array kFirst{TensorRule{"model.embed_tokens.weight", "V, H", TensorRole::Embedding}};
constexpr std::array kLayer{
    TensorRule{"self_attn.q_proj.weight", "A*D, H"},
    TensorRule{"self_attn.q_proj.bias", "A*D", TensorRole::Bias, When::BiasQkv},
    TensorRule{"self_attn.k_proj.weight", "K*D, H"},
    TensorRule{"self_attn.k_proj.bias", "K*D", TensorRole::Bias, When::BiasQkv},
    TensorRule{"self_attn.v_proj.weight", "K*D, H"},
    TensorRule{"self_attn.v_proj.bias", "K*D", TensorRole::Bias, When::BiasQkv},
    TensorRule{"self_attn.o_proj.weight", "H, A*D"},
    TensorRule{"self_attn.o_proj.bias", "H", TensorRole::Bias, When::BiasO},
    TensorRule{"self_attn.q_norm.weight", "D", TensorRole::Norm, When::HeadNorm},
    TensorRule{"self_attn.k_norm.weight", "D", TensorRole::Norm, When::HeadNorm},
    TensorRule{"mlp.gate_proj.weight", "I, H"},
    TensorRule{"mlp.gate_proj.bias", "I", TensorRole::Bias, When::BiasMlp},
    TensorRule{"mlp.up_proj.weight", "I, H"},
    TensorRule{"mlp.up_proj.bias", "I", TensorRole::Bias, When::BiasMlp},
    TensorRule{"mlp.down_proj.weight", "H, I"},
    TensorRule{"mlp.down_proj.bias", "H", TensorRole::Bias, When::BiasMlp},
    TensorRule{"input_layernorm.weight", "H", TensorRole::Norm},
    TensorRule{"post_attention_layernorm.weight", "H", TensorRole::Norm},
};
constexpr std::array kLast{
    TensorRule{"model.norm.weight", "H", TensorRole::Norm},
    TensorRule{"lm_head.weight", "V, H", TensorRole::Head, When::Untied},
};

} // namespace

std::span<const ArchRow> archRows() { return kRows; }
std::span<const TensorRule> firstTensors() { return kFirst; }
std::span<const TensorRule> layerTensors() { return kLayer; }
std::span<const TensorRule> lastTensors() { return kLast; }

const ArchRow* findArch(std::string_view modelType) {
    if (modelType.empty()) return nullptr;
    for (const ArchRow& row : kRows)
        if (row.modelType == modelType || std::ranges::find(row.aliases, modelType) != row.aliases.end()) return &row;
    return nullptr;
}

} // namespace qw::checkpoint
