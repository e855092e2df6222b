// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/quant_json.h"

#include "checkpoint/config_keys.h"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>

namespace qw::checkpoint {
namespace {

using namespace records;
using Json = nlohmann::ordered_json;

template<class T> struct Word {
    T value;
    const char* name;
};
constexpr std::array kFormats{Word{Format::Intx, "intx"}, Word{Format::Int4Zp, "int4_zp"}, Word{Format::Int8, "int8"}};
constexpr std::array kGranularities{Word{Granularity::PerTensor, "per_tensor"}, Word{Granularity::PerChannel, "per_channel"},
                                    Word{Granularity::PerGroup, "per_group"}, Word{Granularity::PerToken, "per_token"}};
constexpr std::array kMappings{Word{Mapping::Symmetric, "symmetric"}, Word{Mapping::Asymmetric, "asymmetric"},
                               Word{Mapping::SymmetricNoClip, "symmetric_no_clip"}};
constexpr std::array kDomains{Word{ZeroDomain::Int, "int"}, Word{ZeroDomain::Float, "float"}, Word{ZeroDomain::None, "none"}};
constexpr std::array kScales{Word{ScaleDtype::Float32, "float32"}, Word{ScaleDtype::BFloat16, "bfloat16"},
                             Word{ScaleDtype::Float16, "float16"}, Word{ScaleDtype::Input, "input"}};
constexpr std::array kIndivisible{Word{OnIndivisible::Skip, "skip"}, Word{OnIndivisible::Error, "error"}};

template<class T, size_t N> const char* nameOf(const std::array<Word<T>, N>& words, T value) {
    for (const auto& w : words)
        if (w.value == value) return w.name;
    return "";
}

template<class T, size_t N> T valueOf(const std::array<Word<T>, N>& words, Keys& keys, const char* key, T ifAbsent) {
    const std::string name = keys.string(key, nameOf(words, ifAbsent));
    std::string known;
    for (const auto& w : words) {
        if (name == w.name) return w.value;
        known += std::string(known.empty() ? "" : ", ") + w.name;
    }
    keys.refuse(key, "known are " + known);
    return ifAbsent;
}

Json toJson(const QuantBlock& b) {
    Json j;
    j["format"] = nameOf(kFormats, b.format);
    j["dtype"] = std::string(b.isSigned ? "int" : "uint") + std::to_string(b.bits);
    j["granularity"] = nameOf(kGranularities, b.granularity);
    if (b.granularity == Granularity::PerGroup) j["group_size"] = b.groupSize;
    j["mapping"] = nameOf(kMappings, b.mapping);
    j["scale_dtype"] = nameOf(kScales, b.scaleDtype);
    j["zero_point_domain"] = nameOf(kDomains, b.zeroDomain);
    j["eps"] = b.eps ? Json(*b.eps) : Json(nullptr);
    j["reduce_range"] = b.reduceRange;
    return j;
}

Json toJson(const QatBlock& b) {
    Json j;
    j["preset"] = b.preset;
    const auto operand = [&](const char* key, const std::optional<QuantBlock>& block) { j[key] = block ? toJson(*block) : Json(nullptr); };
    operand("weight", b.weight);
    operand("activation", b.activation);
    operand("embedding", b.embedding);
    j["modules"] = Json{{"include", b.modules.include},
                        {"exclude", b.modules.exclude},
                        {"lm_head", b.modules.lmHead},
                        {"on_indivisible", nameOf(kIndivisible, b.modules.onIndivisible)}};
    return j;
}

Error notObject(const JsonValue& json) {
    return {"model.format", "quantization block is " + json.shown() + ", not an object", {}, {}, false};
}

} // namespace

std::string quantBlockToJson(const QuantBlock& block) { return toJson(block).dump(); }
std::string qatBlockToJson(const QatBlock& block) { return toJson(block).dump(); }

Result<QuantBlock> quantBlockFromJson(const JsonValue& json) {
    if (!json.is(JsonValue::Kind::Object)) return notObject(json);
    Keys keys(json, "");
    QuantBlock b;
    b.format = valueOf(kFormats, keys, "format", b.format);
    std::string dtype = keys.string("dtype", "");
    b.isSigned = !dtype.starts_with('u');
    if (!b.isSigned) dtype.erase(0, 1);
    if (dtype.size() == 4 && dtype.starts_with("int") && dtype[3] >= '1' && dtype[3] <= '8')
        b.bits = dtype[3] - '0';
    else
        keys.refuse("dtype", "known are int2 to int8 and uint2 to uint8");
    b.granularity = valueOf(kGranularities, keys, "granularity", b.granularity);
    b.groupSize = keys.integer("group_size", b.groupSize, 1, int64_t{1} << 40);
    b.mapping = valueOf(kMappings, keys, "mapping", b.mapping);
    b.scaleDtype = valueOf(kScales, keys, "scale_dtype", b.scaleDtype);
    b.zeroDomain = valueOf(kDomains, keys, "zero_point_domain", b.zeroDomain);
    if (keys.present("eps")) b.eps = keys.number("eps", 1, 0, std::numeric_limits<double>::infinity());
    b.reduceRange = keys.boolean("reduce_range", false);
    if (keys.error()) return *keys.error();
    return b;
}

Result<QatBlock> qatBlockFromJson(const JsonValue& json) {
    if (!json.is(JsonValue::Kind::Object)) return notObject(json);
    Keys keys(json, "");
    QatBlock b;
    b.preset = keys.string("preset", "");
    for (const auto& [key, into] :
         {std::pair{"weight", &b.weight}, std::pair{"activation", &b.activation}, std::pair{"embedding", &b.embedding}}) {
        const JsonValue* operand = json.find(key);
        if (!operand || operand->isNull()) continue;
        auto block = quantBlockFromJson(*operand);
        if (!block) return std::move(block).error().at(key);
        *into = *block;
    }
    if (const JsonValue* rules = json.find("modules"); rules && rules->is(JsonValue::Kind::Object)) {
        Keys inside(*rules, "modules.");
        if (rules->find("include")) b.modules.include = inside.strings("include");
        b.modules.exclude = inside.strings("exclude");
        b.modules.lmHead = inside.boolean("lm_head", false);
        b.modules.onIndivisible = valueOf(kIndivisible, inside, "on_indivisible", OnIndivisible::Skip);
        if (inside.error()) return *inside.error();
    }
    if (keys.error()) return *keys.error();
    return b;
}

} // namespace qw::checkpoint
