// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/presets.h"

#include "config/nearest.h"

#include <algorithm>

namespace qw::config {

using namespace records;

namespace {

constexpr double kTwoToMinus23 = 1.1920928955078125e-07; // torchao's legacy activations and Int8Tensor

QuantBlock intx(int bits, Granularity granularity, int64_t groupSize, ScaleDtype scale) {
    QuantBlock block;
    block.bits = bits;
    block.granularity = granularity;
    block.groupSize = groupSize;
    block.scaleDtype = scale;
    return block;
}

QuantBlock tokens(int bits, ScaleDtype scale) {
    QuantBlock block = intx(bits, Granularity::PerToken, 32, scale);
    block.mapping = Mapping::Asymmetric;
    return block;
}

QuantBlock tinygemm() {
    QuantBlock block = intx(4, Granularity::PerGroup, 256, ScaleDtype::BFloat16);
    block.isSigned = false;
    block.mapping = Mapping::Asymmetric;
    block.zeroDomain = ZeroDomain::Float;
    return block;
}

QuantBlock int4Zp() {
    QuantBlock block = intx(4, Granularity::PerGroup, 128, ScaleDtype::Float32);
    block.format = Format::Int4Zp;
    block.isSigned = false;
    block.mapping = Mapping::Asymmetric;
    block.zeroDomain = ZeroDomain::Float;
    return block;
}

QuantBlock int8Tensor(Granularity granularity) {
    QuantBlock block = intx(8, granularity, 32, ScaleDtype::Float32);
    block.format = Format::Int8;
    return block;
}

QatBlock build(const std::string& name) {
    QatBlock q;
    q.preset = name;
    if (name == "8da4w") {
        q.weight = intx(4, Granularity::PerGroup, 32, ScaleDtype::Float32);
        q.activation = tokens(8, ScaleDtype::Float32);
        q.activation->eps = kTwoToMinus23;
    } else if (name == "int8_intx") {
        q.weight = intx(8, Granularity::PerGroup, 32, ScaleDtype::Input);
        q.activation = tokens(8, ScaleDtype::Input);
    } else if (name == "intx_weight_only") {
        q.weight = intx(8, Granularity::PerChannel, 32, ScaleDtype::Input);
    } else if (name == "int4_weight_only") {
        q.weight = int4Zp();
    } else if (name == "4w_tinygemm") {
        q.weight = tinygemm();
    } else if (name == "8da8w") {
        q.weight = intx(8, Granularity::PerGroup, 32, ScaleDtype::Float32);
        q.activation = tokens(8, ScaleDtype::Float32);
    } else if (name == "4da4w") {
        q.weight = intx(4, Granularity::PerGroup, 32, ScaleDtype::Float32);
        q.activation = tokens(4, ScaleDtype::Float32);
    } else if (name == "int8_weight_only") {
        q.weight = int8Tensor(Granularity::PerChannel);
    } else {
        q.weight = int8Tensor(Granularity::PerChannel);
        q.activation = int8Tensor(Granularity::PerToken);
    }
    return q;
}

} // namespace

const std::vector<SchemePreset>& schemePresets() {
    static const std::vector<SchemePreset> presets{
        {"8da4w", "int4 weights in groups of 32, int8 activations per token: torchao's Int8DynActInt4Weight QAT",
         "ExecuTorch, torchao, llama.cpp (Q4_0), vLLM on Arm CPUs"},
        {"int8_intx", "int2 to int8 weights in groups (int8 g32 unless set), int8 activations per token, scales in the weights' dtype",
         "ExecuTorch, torchao, llama.cpp (Q8_0)"},
        {"intx_weight_only", "int2 to int8 weights per channel or group (int8 per channel unless set), activations untouched",
         "vLLM (4 and 8 bits), torchao, llama.cpp (Q4_0, Q8_0)"},
        {"int4_weight_only", "int4 weights with real-valued zero points in groups of 128: torchao's Int4WeightOnlyConfig version 2",
         "torchao; llama.cpp (Q4_1, near-exact)"},
        {"4w_tinygemm", "uint4 weights with bf16 scales and zero points in groups of 256: torchao's legacy 4w",
         "torchao; llama.cpp (Q4_1, near-exact)"},
        {"8da8w", "int8 weights in groups of 32, int8 activations per token", "torchao, llama.cpp (Q8_0)"},
        {"4da4w", "int4 weights in groups of 32, int4 activations per token", "weights alone: llama.cpp (Q4_0), vLLM"},
        {"int8_weight_only", "int8 weights per row: torchao's Int8WeightOnlyConfig", "vLLM (W8A16), torchao, llama.cpp (Q8_0)"},
        {"int8_int8", "int8 weights per row, symmetric int8 activations per token: torchao's Int8DynamicActivationInt8WeightConfig",
         "vLLM (W8A8), torchao, llama.cpp (Q8_0)"},
    };
    return presets;
}

Result<QatBlock> schemePreset(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& preset : schemePresets()) names.emplace_back(preset.name);
    if (std::ranges::find(names, name) != names.end()) return build(name);
    static const std::vector<std::string> others{"int4_embedding", "8da4w_emb",         "float8",   "float8_int4", "float8_int4_legacy",
                                                 "nvfp4",          "nvfp4_weight_only", "mxfp4",    "mxfp8_e4m3",  "mxfp8_e5m2",
                                                 "mxfp4_inc",      "mxfp8_inc",         "lsq_int4", "ternary"};
    std::string known;
    for (const std::string& one : names) known += (known.empty() ? "" : ", ") + one;
    if (std::ranges::find(others, name) != others.end())
        return Error{
            "config.invalid", "the scheme preset " + name + " is not supported by this build", "choose one of " + known, {}, false};
    return Error{
        "config.invalid", "there is no scheme preset '" + name + "'" + didYouMean(name, names), "choose one of " + known, {}, false};
}

} // namespace qw::config
