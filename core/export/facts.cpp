// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/facts.h"

#include "base/build_info.h"
#include "base/digest.h"
#include "base/files.h"
#include "checkpoint/convert.h"

#include <nlohmann/json.hpp>

namespace qw::exporter {
namespace {

using Json = nlohmann::ordered_json;
constexpr uint64_t kMaxConfigBytes = uint64_t{8} << 20;

// Of the folder's weights, or of its config alone where there are none (a random start).
Result<Json> sourceDigest(const std::filesystem::path& source) {
    if (const auto opened = checkpoint::Checkpoint::open(source, "auto")) {
        QW_TRY(const std::string digest, opened->fingerprint());
        return Json{{"xxh3_128", digest}, {"of", "config.json and weights"}};
    }
    QW_TRY(const std::string config, readFile(source / "config.json", kMaxConfigBytes));
    return Json{{"xxh3_128", xxh3Hex(config)}, {"of", "config.json"}};
}

const records::LayerInfo* layerOf(const quant::Plan& plan, const std::string& name) {
    for (const auto& layer : plan.layers)
        if (layer.name == name) return &layer;
    return nullptr;
}

} // namespace

Result<std::string> exportFacts(const std::filesystem::path& source, const Facts& facts) {
    Json out{{"format", facts.format}, {"version", std::string(version())}, {"dtype", checkpoint::configName(facts.type)}};
    QW_TRY(out["source"], sourceDigest(source));
    if (facts.native && facts.plan) {
        out["method"] = facts.method;
        out["bits_per_weight"] = facts.plan->bitsPerWeight;
        out["schemes"] = Json::parse(checkpoint::schemesToJson(facts.native->schemes));
        Json& modules = out["modules"] = Json::object();
        for (const auto& m : facts.native->modules) {
            modules[m.name] = Json{{"scheme", m.scheme}, {"rows", m.rows}, {"cols", m.cols}, {"packed", m.packed}};
            if (const auto* layer = layerOf(*facts.plan, m.name)) {
                modules[m.name]["words"] = layer->scheme;
                modules[m.name]["bits_per_weight"] = layer->bitsPerWeight;
            }
        }
        Json& skipped = out["skipped"] = Json::object();
        for (const auto& [name, reason] : facts.native->skipped) skipped[name] = reason;
    }
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace qw::exporter
