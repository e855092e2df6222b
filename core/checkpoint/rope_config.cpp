// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/rope_config.h"

#include "checkpoint/config_keys.h"

#include <array>
#include <cmath>
#include <limits>

namespace qw::checkpoint {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The object that counts: a non-empty rope_scaling replaces rope_parameters as a whole.
const JsonValue* ropeObject(Keys& config, std::string& name) {
    for (const char* key : {"rope_scaling", "rope_parameters"}) {
        const JsonValue* value = config.find(key);
        if (!value || value->isNull()) continue;
        if (!value->is(JsonValue::Kind::Object)) {
            config.refuse(key, "expected an object");
            return nullptr;
        }
        if (value->members.empty()) continue;
        name = key;
        return value;
    }
    return nullptr;
}

std::string ropeType(Keys& keys, std::vector<std::string>& notes) {
    const std::string old = keys.string("type", "");
    const std::string type = keys.string("rope_type", old.empty() ? "default" : old);
    if (!old.empty() && old != type) notes.push_back("rope_type \"" + type + "\" is used, the differing type \"" + old + "\" is ignored");
    if (type == "su") return "longrope";
    constexpr std::array kKnown{"default", "linear", "dynamic", "llama3", "yarn", "longrope"};
    for (const char* known : kKnown)
        if (type == known) return type;
    keys.refuse(keys.present("rope_type") ? "rope_type" : "type", "supported are default, linear, dynamic, llama3, yarn and longrope");
    return type;
}

double required(Keys& keys, std::string_view key) {
    if (!keys.present(key)) keys.refuse(key, "is needed for this rope_type");
    return keys.number(key, 1, 0, kInfinity);
}

// Top level wins over the object, as in transformers 5.
int64_t originalPositions(Keys& config, Keys& inside, int64_t maxPositions, std::vector<std::string>& notes) {
    constexpr const char* key = "original_max_position_embeddings";
    constexpr int64_t most = int64_t{1} << 31;
    const int64_t nested = inside.integer(key, maxPositions, 1, most, maxPositions);
    const int64_t value = config.integer(key, nested, 1, most, nested);
    if (inside.present(key) && value != nested)
        notes.push_back(std::string(key) + " is " + std::to_string(value) + " at the top level, which is used, and " +
                        std::to_string(nested) + " inside the rope object");
    return value;
}

void parseScaling(Rope& rope, Keys& keys, int64_t headDim, int64_t maxPositions, std::vector<std::string>& notes) {
    if (rope.type == "linear" || rope.type == "dynamic" || rope.type == "llama3" || rope.type == "yarn")
        rope.factor = required(keys, "factor");
    if (rope.type == "llama3") {
        rope.lowFreqFactor = required(keys, "low_freq_factor");
        rope.highFreqFactor = required(keys, "high_freq_factor");
        if (!(rope.highFreqFactor > rope.lowFreqFactor)) keys.refuse("high_freq_factor", "it must be above low_freq_factor");
    }
    if (rope.type == "yarn") {
        rope.betaFast = keys.number("beta_fast", 32, 0, kInfinity);
        rope.betaSlow = keys.number("beta_slow", 1, 0, kInfinity);
        rope.truncate = keys.boolean("truncate", true);
        rope.mscale = keys.optionalNumber("mscale");
        rope.mscaleAllDim = keys.optionalNumber("mscale_all_dim");
        if (rope.factor * static_cast<double>(rope.originalMaxPositions) != static_cast<double>(maxPositions))
            notes.push_back("yarn: factor times original_max_position_embeddings is not max_position_embeddings");
    }
    if (rope.type == "yarn" || rope.type == "longrope") {
        rope.attentionFactor = keys.optionalNumber("attention_factor");
        if (rope.attentionFactor && *rope.attentionFactor <= 0) keys.refuse("attention_factor", "expected a positive number");
    }
    if (rope.type == "longrope") {
        rope.longropeFactor = keys.optionalNumber("factor");
        if (rope.longropeFactor && *rope.longropeFactor <= 0) keys.refuse("factor", "expected a positive number");
        rope.shortFactor = keys.numbers("short_factor");
        rope.longFactor = keys.numbers("long_factor");
        const auto wanted = static_cast<size_t>(headDim / 2);
        if (rope.shortFactor.size() != wanted)
            keys.refuse("short_factor", "needs " + std::to_string(wanted) + " numbers (half the head width)");
        if (rope.longFactor.size() != wanted)
            keys.refuse("long_factor", "needs " + std::to_string(wanted) + " numbers (half the head width)");
    }
}

} // namespace

Result<Rope> parseRope(const JsonValue& config, double defaultTheta, int64_t headDim, int64_t maxPositions,
                       std::vector<std::string>& notes) {
    Rope rope;
    Keys top(config, "");
    std::string name;
    const JsonValue* object = ropeObject(top, name);
    if (top.error()) return *top.error();
    const JsonValue none{
        .kind = JsonValue::Kind::Object, .boolean = false, .integer = 0, .number = 0, .text = {}, .items = {}, .members = {}};
    Keys inside(object ? *object : none, name + ".");
    for (const char* kind : {"full_attention", "sliding_attention"})
        if (inside.find(kind)) inside.refuse(kind, "separate rotary parameters per kind of layer are not supported for this model_type");
    rope.type = ropeType(inside, notes);
    rope.theta = inside.number("rope_theta", top.number("rope_theta", defaultTheta, 0, kInfinity), 0, kInfinity);
    rope.originalMaxPositions = maxPositions;
    if (rope.type == "llama3" || rope.type == "yarn" || rope.type == "longrope")
        rope.originalMaxPositions = originalPositions(top, inside, maxPositions, notes);
    parseScaling(rope, inside, headDim, maxPositions, notes);
    for (Keys* keys : {&inside, &top}) {
        const double partial = keys->number("partial_rotary_factor", 1, 0, kInfinity);
        if (partial == 1) continue;
        if (rope.type != "default")
            keys->refuse("partial_rotary_factor", "it cannot be combined with scaled rotary embeddings here");
        else
            notes.push_back("partial_rotary_factor is ignored: this model_type rotates whole heads");
    }
    if (inside.error()) return *inside.error();
    if (top.error()) return *top.error();
    return rope;
}

} // namespace qw::checkpoint
