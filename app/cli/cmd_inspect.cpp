// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/inspect.h"
#include "command_line.h"
#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

using checkpoint::Inspection;
using Json = nlohmann::ordered_json;

struct Shown {
    Inspection model;
    std::optional<tokenizer::Tokenizer> tokenizer;
};

// A folder without tokenizer can still be quantized; one whose tokenizer cannot be read is a problem.
Shown look(Inspection model, const std::string& folder) {
    Shown shown{std::move(model), std::nullopt};
    auto loaded = tokenizer::Tokenizer::load(folder);
    auto& problems = shown.model.problems;
    if (!loaded) {
        Error error = std::move(loaded).error();
        problems.push_back({error.code != "file.not_found", error.code, "tokenizer: " + error.message, error.hint});
        return shown;
    }
    if (loaded->vocabSize() > shown.model.config.vocab)
        problems.push_back({true, "model.shape",
                            "the tokenizer has " + std::to_string(loaded->vocabSize()) + " ids, the embedding only " +
                                std::to_string(shown.model.config.vocab) + " rows",
                            "tokenizer and weights are of different models"});
    shown.tokenizer = *std::move(loaded);
    return shown;
}

Json optionalId(const std::optional<int32_t>& id) { return id ? Json(*id) : Json(nullptr); }

Json configJson(const Inspection& m) {
    const auto& c = m.config;
    const auto sliding = std::ranges::count_if(c.window, [](int64_t w) { return w > 0; });
    const int64_t window = sliding ? *std::ranges::max_element(c.window) : 0;
    return {{"vocab_size", c.vocab},
            {"hidden_size", c.hidden},
            {"num_hidden_layers", c.layers},
            {"num_attention_heads", c.heads},
            {"num_key_value_heads", c.kvHeads},
            {"head_dim", c.headDim},
            {"intermediate_size", c.intermediate},
            {"max_position_embeddings", c.maxPositions},
            {"hidden_act", c.activation},
            {"rms_norm_eps", c.rmsEps},
            {"rope_type", c.rope.type},
            {"rope_theta", c.rope.theta},
            {"sliding_window", window},
            {"sliding_layers", sliding},
            {"attention_bias", c.biasQkv},
            {"mlp_bias", c.biasMlp},
            {"eos_token_id", c.eosIds}};
}

Json tokenizerJson(const std::optional<tokenizer::Tokenizer>& t) {
    if (!t) return nullptr;
    const auto& s = t->specials();
    return {{"vocab_size", t->vocabSize()},
            {"bos", optionalId(s.bos)},
            {"eos", s.eos},
            {"pad", optionalId(s.pad)},
            {"unk", optionalId(s.unk)},
            {"adds_bos", t->addsBos()},
            {"components", t->report().components},
            {"warnings", t->report().warnings},
            {"digest", t->digest()}};
}

Json quantizedJson(const Inspection& m) {
    if (!m.quantized) return nullptr;
    Json modules = Json::array();
    for (const auto& x : m.modules) modules.push_back({{"name", x.name}, {"rows", x.rows}, {"cols", x.cols}, {"bits", x.block.bits}});
    Json skipped = Json::object();
    for (const auto& [name, reason] : m.skipped) skipped[name] = reason;
    return {{"schemes", Json::parse(m.schemes)}, {"modules", modules}, {"skipped", skipped}, {"bits_per_weight", m.bitsPerWeight}};
}

void printJson(const Shown& shown, const std::string& folder, bool tensors) {
    const Inspection& m = shown.model;
    Json out{{"path", folder},
             {"architecture", m.config.modelType},
             {"dtype", m.dtype},
             {"tied", m.tied},
             {"bytes", m.bytes},
             {"quantized_by", m.format == "native"    ? Json("qat_workbench")
                              : m.quantized           ? Json(m.format)
                              : m.quantMethod.empty() ? Json(nullptr)
                                                      : Json(m.quantMethod)},
             {"parameters",
              {{"total", m.parameters}, {"embedding", m.embedding}, {"lm_head", m.head}, {"linear", m.linear}, {"other", m.other}}},
             {"config", configJson(m)},
             {"quantized", quantizedJson(m)},
             {"tokenizer", tokenizerJson(shown.tokenizer)}};
    Json& shards = out["shards"] = Json::array();
    for (const auto& s : m.shards) shards.push_back({{"file", s.file}, {"bytes", s.bytes}, {"tensors", s.tensors}});
    if (tensors || m.scanned) {
        Json& list = out["tensors"] = Json::array();
        for (const auto& t : m.tensors) {
            list.push_back({{"name", t.name}, {"dtype", t.dtype}, {"shape", t.shape}, {"shard", t.shard}, {"bytes", t.bytes}});
            if (m.scanned) list.back().update(Json{{"nan", t.nan}, {"inf", t.inf}});
        }
    }
    Json& problems = out["problems"] = Json::array();
    for (const auto& p : m.problems)
        problems.push_back({{"level", p.isError ? "error" : "warning"}, {"code", p.code}, {"msg", p.message}, {"hint", p.hint}});
    std::cout << out.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

std::string grouped(int64_t n) {
    std::string text = std::to_string(n);
    for (auto at = static_cast<int64_t>(text.size()) - 3; at > 0; at -= 3) text.insert(text.begin() + at, ' ');
    return text;
}

std::string megabytes(uint64_t bytes) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f MB", static_cast<double>(bytes) / 1e6);
    return text.data();
}

std::string shapeText(const std::vector<int64_t>& shape) {
    std::string out = "[";
    for (const int64_t d : shape) out.append(out.size() > 1 ? ", " : "").append(std::to_string(d));
    return out + "]";
}

void row(const char* label, const std::string& value) { std::printf("%-16s%s\n", label, value.c_str()); }

void printQuantized(const Inspection& m) {
    std::array<char, 32> bits{};
    std::snprintf(bits.data(), bits.size(), "%.3f", m.bitsPerWeight);
    row("quantized", std::to_string(m.modules.size()) + " matrices, " + bits.data() + " bits per weight");
    const Json schemes = Json::parse(m.schemes);
    for (const Json& scheme : schemes)
        for (const char* operand : {"weight", "activation", "embedding"}) {
            if (!scheme.contains(operand) || scheme[operand].is_null()) continue;
            const Json& b = scheme[operand];
            std::string words = b.value("dtype", "") + " " + b.value("granularity", "") + " " + b.value("mapping", "");
            if (b.contains("group_size")) words += ", group " + std::to_string(b["group_size"].get<int64_t>());
            row(operand, words);
        }
    for (const auto& [name, reason] : m.skipped) row("skipped", name + ": " + reason);
}

void printTable(const Shown& shown, const std::string& folder, bool tensors) {
    const Inspection& m = shown.model;
    const auto& c = m.config;
    row("model", folder);
    row("architecture", c.modelType + ", " + std::to_string(c.layers) + " layers, width " + std::to_string(c.hidden) + ", " +
                            std::to_string(c.heads) + " heads over " + std::to_string(c.kvHeads) + " of " + std::to_string(c.headDim) +
                            ", feed-forward " + std::to_string(c.intermediate) + " (" + c.activation + ")");
    row("context", std::to_string(c.maxPositions) + ", rope " + c.rope.type + ", vocabulary " + std::to_string(c.vocab));
    row("parameters", grouped(m.parameters) + "  (embedding " + grouped(m.embedding) + ", linear " + grouped(m.linear) + ", lm_head " +
                          (m.tied ? std::string("tied") : grouped(m.head)) + ", other " + grouped(m.other) + ")");
    row("weights",
        m.dtype + ", " + megabytes(m.bytes) + " in " + std::to_string(m.shards.size()) + (m.shards.size() == 1 ? " file" : " files"));
    if (m.quantized) printQuantized(m);
    if (!m.quantized && !m.quantMethod.empty()) row("quantized by", m.quantMethod);
    if (const auto& t = shown.tokenizer) {
        const auto& s = t->specials();
        row("tokenizer", std::to_string(t->vocabSize()) + " ids, BOS " + (s.bos ? std::to_string(*s.bos) : "none") +
                             (t->addsBos() ? " (added)" : " (not added)") + ", EOS " +
                             (s.eos.empty() ? "none" : std::to_string(s.eos.front())));
    }
    if (m.scanned && !tensors) {
        const bool clean = std::ranges::all_of(m.tensors, [](const auto& t) { return t.nan + t.inf == 0; });
        row("scan", clean ? "no NaN, no infinite values" : "see the warnings");
    }
    if (tensors) {
        std::printf("\n%-56s%-8s%-20s%s\n", "tensor", "dtype", "shape", m.scanned ? "NaN / Inf" : "");
        for (const auto& t : m.tensors)
            std::printf("%-56s%-8s%-20s%s\n", t.name.c_str(), t.dtype.c_str(), shapeText(t.shape).c_str(),
                        m.scanned ? (std::to_string(t.nan) + " / " + std::to_string(t.inf)).c_str() : "");
    }
    for (const auto& p : m.problems) {
        std::printf("%s: %s  [%s]\n", p.isError ? "error" : "warning", p.message.c_str(), p.code.c_str());
        if (!p.hint.empty()) std::printf("  next: %s\n", p.hint.c_str());
    }
}

} // namespace

int cmdInspect(CommandLine& line) {
    std::string folder;
    bool json = false, tensors = false, scan = false;
    line.positional("MODEL", folder, "model folder: config.json, weights, tokenizer");
    line.flag("--tensors", tensors, "list every tensor");
    line.flag("--scan", scan, "count NaN and infinite values per tensor (reads everything)");
    line.flag("--json", json, "one JSON object");
    if (const auto done = line.parse()) return *done;
    auto model = checkpoint::inspectFolder(folder, scan);
    if (!model) return fail(model.error(), json);
    const Shown shown = look(*std::move(model), folder);
    if (json)
        printJson(shown, folder, tensors);
    else
        printTable(shown, folder, tensors);
    const auto worst = std::ranges::find_if(shown.model.problems, [](const auto& p) { return p.isError; });
    return worst == shown.model.problems.end() ? 0 : exitCode(worst->code);
}

} // namespace qw::cli
