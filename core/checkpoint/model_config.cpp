// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/model_config.h"

#include "checkpoint/arch_table.h"
#include "checkpoint/config_keys.h"
#include "checkpoint/rope_config.h"

#include <algorithm>
#include <array>

namespace qw::checkpoint {
namespace {

// Ranges of engine.md 8.
constexpr int64_t kMaxLayers = 1024, kMaxHidden = int64_t{1} << 17, kMaxVocab = int64_t{1} << 22, kMaxIntermediate = int64_t{1} << 20,
                  kMaxPositions = int64_t{1} << 31;

std::string listed(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& w : words) out.append(out.empty() ? "" : ", ").append(w);
    return out;
}

Error unsupported(const std::string& what) {
    return {"model.unsupported_arch", what, "supported are " + listed(supportedArchitectures()), {}, false};
}

bool isMixtureOfExperts(std::string_view type, const JsonValue& config) {
    constexpr std::array kNames{"mixtral", "gpt_oss", "dbrx", "jamba", "llama4", "deepseek_v2", "deepseek_v3", "minimax"};
    if (type.find("moe") != std::string_view::npos || std::ranges::find(kNames, type) != kNames.end()) return true;
    for (const char* key : {"num_experts", "num_local_experts", "n_routed_experts"}) {
        const JsonValue* value = config.find(key);
        if (value && value->is(JsonValue::Kind::Int) && value->integer > 1) return true;
    }
    return false;
}

Result<const ArchRow*> chooseRow(const JsonValue& config) {
    Keys keys(config, "");
    const std::string type = keys.string("model_type", "");
    const std::vector<std::string> classes = keys.strings("architectures");
    if (keys.error()) return *keys.error();
    if (type.empty()) return unsupported("config.json has no model_type");
    if (isMixtureOfExperts(type, config)) return unsupported("model_type \"" + type + "\": mixture-of-experts not supported");
    const ArchRow* row = findArch(type);
    if (!row) return unsupported("model_type \"" + type + "\" is not supported");
    if (!classes.empty() && (classes.front().empty() || std::ranges::find(row->classes, classes.front()) == row->classes.end()))
        return unsupported("architectures[0] \"" + classes.front() + "\" of model_type \"" + type + "\" is not supported, only " +
                           std::string(row->classes.front()) + " is");
    return row;
}

void parseSizes(Keys& keys, const ArchRow& row, ModelConfig& c) {
    c.vocab = keys.integer("vocab_size", row.vocab, 1, kMaxVocab);
    c.hidden = keys.integer("hidden_size", row.hidden, 1, kMaxHidden);
    c.intermediate = keys.integer("intermediate_size", row.intermediate, 1, kMaxIntermediate);
    c.layers = keys.integer("num_hidden_layers", row.layers, 1, kMaxLayers);
    c.heads = keys.integer("num_attention_heads", row.heads, 1, kMaxHidden);
    c.kvHeads = keys.integer("num_key_value_heads", row.kvHeads ? row.kvHeads : c.heads, 1, kMaxHidden, c.heads);
    c.maxPositions = keys.integer("max_position_embeddings", row.maxPositions, 1, kMaxPositions);
    c.headDim = keys.integer("head_dim", row.headDim, 1, kMaxHidden, row.headDim);
    if (c.headDim == 0) {
        if (c.hidden % c.heads != 0)
            keys.refuse("hidden_size", "not a multiple of num_attention_heads " + std::to_string(c.heads) + ", and there is no head_dim");
        c.headDim = c.hidden / c.heads;
    }
    if (c.heads % c.kvHeads != 0)
        keys.refuse("num_key_value_heads",
                    "num_attention_heads " + std::to_string(c.heads) + " is not a multiple of " + std::to_string(c.kvHeads));
    if (c.headDim % 2 != 0)
        keys.refuse("head_dim", "the head width " + std::to_string(c.headDim) + " is odd, rotary embeddings need an even one");
    if (c.heads * c.headDim > 8 * kMaxHidden) keys.refuse("head_dim", "num_attention_heads times head_dim is out of range");
    c.rmsEps = keys.number("rms_norm_eps", row.rmsEps, 0, 1);
    c.initializerRange = keys.number("initializer_range", 0.02, 0, 100);
}

std::string parseActivation(Keys& keys) {
    const std::string name = keys.string("hidden_act", "silu");
    if (name == "swish") return "silu";
    constexpr std::array kKnown{"silu", "gelu", "gelu_new", "gelu_pytorch_tanh", "relu"};
    if (std::ranges::find(kKnown, name) == kKnown.end())
        keys.refuse("hidden_act", "supported are silu, gelu, gelu_new, gelu_pytorch_tanh and relu");
    return name;
}

// layer_types wins over every derived rule where the row reads it.
void parseWindows(Keys& keys, const ArchRow& row, ModelConfig& c) {
    c.window.assign(static_cast<size_t>(c.layers), 0);
    const std::vector<std::string> types = keys.strings("layer_types");
    if (row.windowRule == WindowRule::None) {
        if (!types.empty()) c.notes.push_back("layer_types is ignored for model_type " + c.modelType);
        if (keys.present("sliding_window")) c.notes.push_back("sliding_window is ignored for model_type " + c.modelType);
        return;
    }
    int64_t window = keys.integer("sliding_window", row.window, 1, kMaxPositions, 0); // null: none
    int64_t firstSliding = 0;
    std::string why = "sliding_window is null";
    if (row.windowRule == WindowRule::FromMaxWindowLayers) {
        firstSliding = keys.integer("max_window_layers", row.maxWindowLayers, 0, kMaxPositions);
        if (!keys.boolean("use_sliding_window", false)) {
            window = 0;
            why = "use_sliding_window is not true";
        }
    }
    if (types.empty()) {
        for (int64_t i = firstSliding; i < c.layers; ++i) c.window[static_cast<size_t>(i)] = window;
        return;
    }
    if (std::cmp_not_equal(types.size(), c.layers))
        return keys.refuse("layer_types", "with " + std::to_string(types.size()) + " entries for " + std::to_string(c.layers) + " layers");
    for (size_t i = 0; i < types.size(); ++i) {
        if (types[i] == "full_attention") continue;
        if (types[i] != "sliding_attention")
            return keys.refuse("layer_types",
                               "with " + jsonQuoted(types[i]) + " in it; supported are full_attention and sliding_attention");
        if (window == 0) return keys.refuse("layer_types", "with a sliding layer, but " + why);
        c.window[i] = window;
    }
}

void parseTokens(Keys& keys, const ArchRow& row, ModelConfig& c) {
    constexpr int64_t none = -1;
    const int64_t bos = keys.integer("bos_token_id", row.bos, -1, kMaxVocab, none);
    const int64_t pad = keys.integer("pad_token_id", none, -1, kMaxVocab, none); // old files write -1 for none
    if (bos >= 0) c.bosId = bos;
    if (pad >= c.vocab) keys.refuse("pad_token_id", "vocab_size is " + std::to_string(c.vocab));
    if (pad >= 0) c.padId = pad;
    const JsonValue* eos = keys.find("eos_token_id");
    if (eos && eos->is(JsonValue::Kind::Array)) {
        for (const JsonValue& id : eos->items) {
            if (!id.is(JsonValue::Kind::Int) || id.integer < 0)
                return keys.refuse("eos_token_id", "with " + id.shown() + " in it; expected token ids");
            c.eosIds.push_back(id.integer);
        }
        return;
    }
    if (const int64_t id = keys.integer("eos_token_id", row.eos, -1, kMaxVocab, none); id >= 0) c.eosIds.push_back(id);
}

void parseDtypeHint(Keys& keys, ModelConfig& c) {
    std::string name = keys.string(keys.present("dtype") ? "dtype" : "torch_dtype", "");
    if (name.starts_with("torch.")) name.erase(0, 6);
    if (name == "float32" || name == "bfloat16" || name == "float16")
        c.dtypeHint = name;
    else if (!name.empty())
        c.notes.push_back("dtype \"" + name + "\" in config.json is ignored, the tensors' own dtypes count");
}

// Options of the wider family that change the maths and that no row here has.
void refuseOptions(Keys& keys) {
    for (const char* key : {"add_cross_attention", "is_encoder_decoder", "use_bidirectional_attention"})
        if (keys.boolean(key, false)) keys.refuse(key, "only false is supported");
}

void parseQuantization(const JsonValue& config, ModelConfig& c) {
    for (const char* key : {"quantization_config", "compression_config"}) {
        const JsonValue* value = config.find(key);
        if (!value || value->isNull()) continue;
        const JsonValue* method = value->find("quant_method");
        c.quantMethod =
            method && method->is(JsonValue::Kind::String) && !method->text.empty() ? method->text : std::string("unknown (") + key + ")";
        const JsonValue* format = value->find("format");
        c.quantFormat = format && format->is(JsonValue::Kind::Int) ? format->integer : 0;
        return;
    }
}

std::vector<int64_t> evaluate(std::string_view shape, const ModelConfig& c) {
    const auto letter = [&](char l) {
        switch (l) {
        case 'V':
            return c.vocab;
        case 'H':
            return c.hidden;
        case 'A':
            return c.heads;
        case 'K':
            return c.kvHeads;
        case 'D':
            return c.headDim;
        default:
            return c.intermediate;
        }
    };
    std::vector<int64_t> out{1};
    for (const char l : shape) {
        if (l == ',')
            out.push_back(1);
        else if (l >= 'A' && l <= 'Z')
            out.back() *= letter(l);
    }
    return out;
}

bool applies(When when, const ModelConfig& c, bool tied) {
    switch (when) {
    case When::Always:
        return true;
    case When::BiasQkv:
        return c.biasQkv;
    case When::BiasO:
        return c.biasO;
    case When::BiasMlp:
        return c.biasMlp;
    case When::HeadNorm:
        return c.headNorm;
    case When::Untied:
        return !tied;
    }
    return false;
}

void append(std::vector<ExpectedTensor>& out, std::span<const TensorRule> rules, const std::string& prefix, int layer, const ModelConfig& c,
            bool tied) {
    for (const TensorRule& rule : rules)
        if (applies(rule.when, c, tied))
            out.push_back({prefix + std::string(rule.name), evaluate(rule.shape, c), rule.role, layer,
                           std::string("[").append(rule.shape).append("]")});
}

} // namespace

std::vector<std::string> supportedArchitectures() {
    std::vector<std::string> out;
    for (const ArchRow& row : archRows()) out.emplace_back(row.modelType);
    return out;
}

Result<ModelConfig> parseModelConfig(std::string_view json) {
    QW_TRY(const JsonValue root, parseJson(json, "model.format"));
    if (!root.is(JsonValue::Kind::Object))
        return Error{"model.format", "config.json is " + root.shown() + ", not an object", "fetch the file again", {}, false};
    QW_TRY(const ArchRow* row, chooseRow(root));
    ModelConfig c;
    c.modelType = row->modelType;
    Keys keys(root, "");
    refuseOptions(keys);
    parseSizes(keys, *row, c);
    if (keys.error()) return *keys.error();
    c.activation = parseActivation(keys);
    const bool attentionBias = row->attention == BiasRule::Key && keys.boolean("attention_bias", false);
    c.biasQkv = attentionBias || row->attention == BiasRule::QkvAlways;
    c.biasO = attentionBias;
    c.biasMlp = row->mlpBiasKey && keys.boolean("mlp_bias", false);
    c.headNorm = row->headNorm;
    c.tied = keys.boolean("tie_word_embeddings", row->tied);
    parseWindows(keys, *row, c);
    parseTokens(keys, *row, c);
    parseDtypeHint(keys, c);
    if (keys.number("attention_dropout", 0, -1, 1) != 0) c.notes.push_back("attention_dropout is not applied");
    if (keys.present("auto_map")) c.notes.push_back("auto_map is ignored: no code from a model folder is run");
    parseQuantization(root, c);
    if (keys.error()) return *keys.error();
    QW_TRY(c.rope, parseRope(root, row->theta, c.headDim, c.maxPositions, c.notes));
    return c;
}

std::vector<ExpectedTensor> expectedTensors(const ModelConfig& config, bool tied) {
    std::vector<ExpectedTensor> out;
    append(out, firstTensors(), "", -1, config, tied);
    for (int64_t i = 0; i < config.layers; ++i)
        append(out, layerTensors(), "model.layers." + std::to_string(i) + ".", static_cast<int>(i), config, tied);
    append(out, lastTensors(), "", -1, config, tied);
    return out;
}

} // namespace qw::checkpoint
