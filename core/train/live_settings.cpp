// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/live_settings.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace qw::train {
namespace {

struct Key {
    const char* name;
    double least;
    bool whole; // no share of all steps
    void (*set)(Cadences&, double value);
};
constexpr std::array kKeys{
    Key{"checkpoint.every", 0, false, [](Cadences& c, double v) { c.checkpointEvery = v; }},
    Key{"eval.every", 0, false, [](Cadences& c, double v) { c.evalEvery = v; }},
    Key{"log.every", 1, true, [](Cadences& c, double v) { c.logEvery = static_cast<int64_t>(v); }},
    Key{"log.layer_every", 0, true, [](Cadences& c, double v) { c.layerEvery = static_cast<int64_t>(v); }},
};
constexpr double kMost = 1e9; // steps

const Key* find(const std::string& name) {
    const auto* const found = std::ranges::find_if(kKeys, [&](const Key& key) { return name == key.name; });
    return found == kKeys.end() ? nullptr : found;
}

Error invalid(const std::string& what) { return {"config.invalid", what, "say the steps between two of them", {}, false}; }

Status check(const records::Recipe& recipe, const std::string& name, double value) {
    const Key* key = find(name);
    if (!key)
        return Error{"config.unknown_key",
                     name + " cannot be changed while a run trains",
                     "log.every, log.layer_every, eval.every and checkpoint.every can",
                     {},
                     false};
    if (!std::isfinite(value) || value < key->least || value > kMost)
        return invalid(name + " must be a number from " + std::to_string(static_cast<int>(key->least)) + " to 1e9");
    if ((key->whole || value > 1) && value != std::floor(value)) return invalid(name + " must be a whole number of steps");
    const bool decides = name == "eval.every" || name == "checkpoint.every";
    if (decides && (recipe.earlyStopPatience > 0 || recipe.checkpoint.loadBestAtEnd))
        return Error{"config.conflict",
                     name + " decides the result of this run: it stops early or loads its best checkpoint",
                     "start a run with another recipe",
                     {},
                     false};
    if (name == "eval.every" && recipe.data.eval.empty())
        return Error{"config.conflict", "this run has no evaluation data", "give the recipe data.eval", {}, false};
    if (name == "log.layer_every" && !recipe.telemetry)
        return Error{"config.conflict", "log.telemetry is off in this run", "start a run with log.telemetry: true", {}, false};
    return {};
}

} // namespace

Cadences cadencesOf(const records::Recipe& recipe) {
    return {recipe.checkpoint.every, recipe.eval.every, recipe.logEvery, recipe.layerEvery};
}

Status LiveSettings::ask(const Values& values) {
    if (values.empty()) return invalid("nothing to set");
    for (const auto& [name, value] : values) QW_CHECK(check(m_recipe, name, value));
    const std::lock_guard lock(m_mutex);
    if (m_closed) return Error{"engine.state", "the run trains no more", {}, {}, false};
    for (const auto& asked : values) {
        std::erase_if(m_asked, [&](const auto& before) { return before.first == asked.first; });
        m_asked.push_back(asked);
    }
    return {};
}

std::optional<wire::Settings> LiveSettings::take(int64_t step) {
    const std::lock_guard lock(m_mutex);
    if (m_asked.empty()) return std::nullopt;
    m_changes.push_back({step, std::exchange(m_asked, {})});
    return m_changes.back();
}

Cadences LiveSettings::at(int64_t step) const {
    Cadences cadences = cadencesOf(m_recipe);
    for (const wire::Settings& change : m_changes) {
        if (change.step > step) continue;
        for (const auto& [name, value] : change.values)
            if (const Key* key = find(name)) key->set(cadences, value);
    }
    return cadences;
}

void LiveSettings::close() {
    const std::lock_guard lock(m_mutex);
    m_closed = true;
}

} // namespace qw::train
