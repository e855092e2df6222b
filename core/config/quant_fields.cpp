// SPDX-License-Identifier: GPL-3.0-or-later
// What: the keys of the `qat:` block (quantization.md 3.1, 3.6), and which of their combinations mean something.
#include "config/fields.h"

#include "config/presets.h"
#include "numerics/fake_quant.h"

#include <algorithm>

namespace qw::config {

using namespace records;

namespace {

void qatBlocks(Fields& f, QatBlock& b) {
    const auto block = [&](const char* key, std::optional<QuantBlock>& slot, Role role) {
        if (f.writing() && !slot) {
            // Without a preset a missing block is the default; with one it must be taken away again.
            if (!b.preset.empty()) f.null(key);
            return;
        }
        if (f.isNull(key)) slot.reset();
        if (!f.given(key) || f.isNull(key)) return;
        const bool fresh = !slot;
        QuantBlock value = slot.value_or(QuantBlock{});
        f.group(key, [&](Fields& g) { describe(g, value, role, fresh); });
        slot = value;
    };
    block("weight", b.weight, Role::Weight);
    block("activation", b.activation, Role::Activation);
    block("embedding", b.embedding, Role::Embedding);
}

const char* granularityName(Granularity g) {
    switch (g) {
    case Granularity::PerTensor:
        return "per_tensor";
    case Granularity::PerChannel:
        return "per_channel";
    case Granularity::PerGroup:
        return "per_group";
    case Granularity::PerToken:
        break;
    }
    return "per_token";
}

void granularity(Fields& f, QuantBlock& b, Role role, bool fresh) {
    std::string word = granularityName(b.granularity);
    f.choice("granularity", word, {"per_group", "per_channel", "per_row", "per_token", "per_tensor"});
    const bool named = f.given("granularity") && !f.isNull("granularity");
    const bool grouped = f.given("group_size") && !f.isNull("group_size");
    if (!f.writing() && fresh && !named && !grouped && b.format != Format::Int4Zp) {
        if (role == Role::Activation)
            word = "per_token";
        else if (b.format == Format::Int8)
            word = "per_row";
        else
            f.problem("granularity", "is missing: say per_channel, or give a group_size");
    }
    if (word == "per_row") word = role == Role::Activation ? "per_token" : "per_channel";
    if (!f.writing() && grouped) {
        if (named && word != "per_group") f.problem("group_size", "conflicts with granularity " + word);
        word = "per_group";
    }
    b.granularity = word == "per_group"     ? Granularity::PerGroup
                    : word == "per_channel" ? Granularity::PerChannel
                    : word == "per_token"   ? Granularity::PerToken
                                            : Granularity::PerTensor;
    if (b.granularity == Granularity::PerGroup)
        f.integer("group_size", b.groupSize, 2, int64_t{1} << 20);
    else
        b.groupSize = QuantBlock{}.groupSize;
}

// What a recipe must not say, and after that whatever the kernels refuse.
void crossChecks(Fields& f, const QuantBlock& b, Role role) {
    const bool activation = role == Role::Activation;
    if (!b.isSigned && b.mapping != Mapping::Asymmetric)
        return f.problem("dtype", "an unsigned type needs mapping asymmetric: negative weights would vanish");
    if (activation && b.granularity != Granularity::PerToken && b.granularity != Granularity::PerTensor)
        return f.problem("granularity", "activations are quantized per_token");
    if (!activation && b.granularity == Granularity::PerToken)
        return f.problem("granularity", "per_token is for activations; weights have per_channel or a group_size");
    if (activation && b.format == Format::Intx && b.mapping != Mapping::Asymmetric)
        return f.problem("mapping", "per-token intx activations are asymmetric; for symmetric ones use format int8");
    if (b.zeroDomain == ZeroDomain::None) return f.problem("zero_point_domain", "none is an error in every family; use int or float");
    const auto grid = numerics::resolveGrid(b, role, DType::F32, 1, std::max<int64_t>(b.groupSize, 2));
    if (grid) return;
    const std::string& why = grid.error().message; // "qat.<role>: <what>"
    f.problem("format", why.substr(why.find(": ") + 2) + "; " + grid.error().hint);
}

} // namespace

void describe(Fields& f, QuantBlock& b, Role role, bool fresh) {
    std::string format = b.format == Format::Int4Zp ? "int4_zp" : b.format == Format::Int8 ? "int8" : "intx";
    f.choice("format", format, {"intx", "int4_zp", "int8"}, {"int4_fp8", "mx", "nvfp4", "float8"});
    const Format wanted = format == "int4_zp" ? Format::Int4Zp : format == "int8" ? Format::Int8 : Format::Intx;
    const bool changed = wanted != b.format;
    if (changed) b = QuantBlock{};
    b.format = wanted;
    const bool first = (fresh || changed) && !f.writing();
    if (first && role == Role::Activation) {
        b.granularity = Granularity::PerToken;
        if (wanted == Format::Intx) b.mapping = Mapping::Asymmetric;
    }
    if (first && wanted == Format::Int4Zp) b.groupSize = 128;

    std::string dtype = (b.isSigned ? "int" : "uint") + std::to_string(b.bits);
    if (first && !f.given("dtype") && wanted == Format::Intx) f.problem("dtype", "is missing: int2 to int8, or uint2 to uint8");
    f.choice("dtype", dtype,
             {"int2", "int3", "int4", "int5", "int6", "int7", "int8", "uint2", "uint3", "uint4", "uint5", "uint6", "uint7", "uint8"},
             {"int1", "uint1", "float8_e4m3", "float8_e5m2"});
    b.isSigned = dtype[0] == 'i';
    b.bits = dtype.back() - '0';
    granularity(f, b, role, first);
    std::string mapping = b.mapping == Mapping::Symmetric    ? "symmetric"
                          : b.mapping == Mapping::Asymmetric ? "asymmetric"
                                                             : "symmetric_no_clip";
    f.choice("mapping", mapping, {"symmetric", "asymmetric", "symmetric_no_clip"});
    b.mapping = mapping == "symmetric" ? Mapping::Symmetric : mapping == "asymmetric" ? Mapping::Asymmetric : Mapping::SymmetricNoClip;
    static constexpr const char* kScale[] = {"float32", "bfloat16", "float16", "input"};
    std::string scale = kScale[static_cast<int>(b.scaleDtype)];
    f.choice("scale_dtype", scale, {"float32", "bfloat16", "float16", "input"});
    for (int i = 0; i < 4; ++i)
        if (scale == kScale[i]) b.scaleDtype = static_cast<ScaleDtype>(i);
    static constexpr const char* kDomain[] = {"int", "float", "none"};
    std::string domain = kDomain[static_cast<int>(b.zeroDomain)];
    f.choice("zero_point_domain", domain, {"int", "float", "none"});
    for (int i = 0; i < 3; ++i)
        if (domain == kDomain[i]) b.zeroDomain = static_cast<ZeroDomain>(i);
    f.real("eps", b.eps, 0, false);
    f.flag("reduce_range", b.reduceRange);
    f.neutral("zero_point_dtype", {"int32", "int8", "bfloat16", "float32", "null"});
    f.neutral("scale_update", {"dynamic"});
    if (b.format == Format::Int4Zp) { // one family, nothing to choose but the group
        if (!f.writing() && f.given("dtype") && b.bits != 4) f.problem("dtype", "int4_zp has dtype uint4");
        if (!f.writing() && f.given("mapping") && b.mapping != Mapping::Asymmetric) f.problem("mapping", "int4_zp is asymmetric");
        if (!f.writing() && b.granularity != Granularity::PerGroup) f.problem("granularity", "int4_zp has a group_size");
        b.bits = 4;
        b.isSigned = false;
        b.mapping = Mapping::Asymmetric;
        b.zeroDomain = ZeroDomain::Float;
    }
    if (!f.writing()) crossChecks(f, b, role);
}

void describe(Fields& f, QatBlock& b) {
    std::string name = b.preset;
    f.text("preset", name);
    if (!f.writing() && f.given("preset") && !f.isNull("preset")) {
        if (auto preset = schemePreset(name)) {
            b.weight = preset->weight;
            b.activation = preset->activation;
            b.embedding = preset->embedding;
            b.preset = name;
        } else {
            f.problem("preset", preset.error().message + " (" + preset.error().hint + ")");
        }
    }
    qatBlocks(f, b);
    f.group("modules", [&](Fields& g) {
        ModuleRules& m = b.modules;
        g.texts("include", m.include);
        g.texts("exclude", m.exclude);
        g.flag("lm_head", m.lmHead);
        std::string word = m.onIndivisible == OnIndivisible::Skip ? "skip" : "error";
        g.choice("on_indivisible", word, {"skip", "error"});
        m.onIndivisible = word == "skip" ? OnIndivisible::Skip : OnIndivisible::Error;
        g.neutral("embedding", {"false"});
    });
    f.integer("fake_quant_after_n_steps", b.fakeQuantAfterSteps, 0);
    std::string ste = b.ste == Ste::Clipped ? "clipped" : "identity";
    f.choice("ste", ste, {"clipped", "identity"});
    b.ste = ste == "clipped" ? Ste::Clipped : Ste::Identity;
    f.flag("qparam_grad", b.qparamGrad);
    f.flag("log_float_eval", b.logFloatEval);
    if (!f.writing()) f.group("calibration", [](Fields& g) { g.neutral("num_batches", {"0"}); });
    if (!f.writing()) f.group("convert", [](Fields& g) { g.neutral("qparam_storage", {"exact"}); });
    f.neutral("qparam_lr", {"null"});
    f.neutral("lsq_grad_scale", {"false"});
    f.neutral("frozen_refresh_every", {"0"});
    f.neutral("oscillation", {"none"});
}

} // namespace qw::config
