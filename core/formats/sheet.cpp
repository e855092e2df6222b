// SPDX-License-Identifier: GPL-3.0-or-later
#include "formats/sheet.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace qw::formats {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kHeaderShare = 0.01, kHeaderBytes = 65536; // what headers add to the forecast of the weights

std::string number(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6g", value);
    return text.data();
}

struct Check {
    std::string name, value;
    bool ok = false;
};

Check weights(const Exported& e) {
    const WeightSheet& s = e.sheet;
    std::string value = std::to_string(s.equal) + " of " + std::to_string(s.tensors) + " tensors";
    if (s.different > 0)
        value += "; " + std::to_string(s.different) + " of " + std::to_string(s.groups) + " groups differ, by " + number(s.maxAbs) +
                 " at most, first in " + s.firstDifferent;
    return {"weights read back bit for bit", value, s.different <= e.verdict.inexact || e.verdict.fidelity == Fidelity::Lossy};
}

// Equal weights and equal activations give equal logits; where either may differ the figures are told and not judged.
Check logits(const Exported& e) {
    const LogitsCheck& l = e.logits;
    std::string value = "max " + number(l.max) + " of " + number(l.scale) + ", mean " + number(l.mean) + ", same top token at " +
                        number(100 * l.sameTop) + " % of " + std::to_string(l.tokens);
    if (!e.verdict.sameActivations) value += " (its readers treat activations otherwise)";
    return {"logits against the source", value, !e.verdict.sameActivations || e.verdict.fidelity != Fidelity::Exact || l.max == 0};
}

Check size(const Exported& e) {
    const auto forecast = static_cast<double>(e.verdict.bytes);
    return {"weight files", std::to_string(e.bytes) + " bytes, forecast " + std::to_string(e.verdict.bytes),
            std::abs(static_cast<double>(e.bytes) - forecast) <= kHeaderShare * forecast + kHeaderBytes};
}

Json json(const Verdict& v) {
    return {{"fidelity", word(v.fidelity)}, {"why", v.why},         {"runs_on", v.runsOn}, {"notes", v.notes},
            {"groups", v.groups},           {"inexact", v.inexact}, {"bytes", v.bytes}};
}

} // namespace

std::string verdictJson(const Verdict& verdict) { return json(verdict).dump(); }

Sheet sheetOf(const Format& format, const Exported& e, const std::filesystem::path& dir, int64_t step) {
    Sheet sheet{{}, true};
    Json checks = Json::array();
    for (const Check& check : {weights(e), logits(e), size(e)}) {
        checks.push_back({{"name", check.name}, {"value", check.value}, {"ok", check.ok}});
        sheet.verified = sheet.verified && check.ok;
    }
    Json all{{"format", format.name},      {"dir", dir.string()},        {"bytes", e.bytes}, {"hash", e.hash},
             {"verified", sheet.verified}, {"verdict", json(e.verdict)}, {"checks", checks}};
    if (step >= 0) all["step"] = step;
    sheet.json = all.dump();
    return sheet;
}

} // namespace qw::formats
