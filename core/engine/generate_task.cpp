// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/files.h"
#include "config/presets.h"
#include "engine/loaded_model.h"
#include "engine/tasks_ops.h"
#include "eval/generator.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace qw::engine {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr uint64_t kTextLimit = 256 << 20;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

struct Prompts {
    const tokenizer::Tokenizer* tokenizer;
    Error noTokenizer;
    int64_t vocab;
    std::vector<std::vector<int32_t>> ids;

    Status add(std::vector<int32_t> prompt, const std::string& where) {
        if (prompt.empty())
            return Error{"data.empty", where + ": the prompt has no token", "write some text; this tokenizer adds no BOS", "", false};
        ids.push_back(std::move(prompt));
        return {};
    }
    Status addText(const std::string& text, const std::string& where) {
        if (!tokenizer) return Error(noTokenizer);
        tokenizer::Encoded encoded = tokenizer->encode(text, {.addSpecial = true, .matchSpecials = true});
        if (!encoded.failure.empty()) return Error{"tokenizer.unsupported", where + ": " + encoded.failure, "", "", false};
        for (const int32_t id : encoded.ids)
            if (id >= vocab)
                return Error{"model.shape",
                             where + ": the tokenizer gives id " + std::to_string(id) + ", the model's vocabulary ends at " +
                                 std::to_string(vocab),
                             "the folder's tokenizer belongs to another model", "", false};
        return add(std::move(encoded.ids), where);
    }
    Status addIds(const json& list, const std::string& where) {
        const auto bad = [&](const std::string& what) {
            return Error{"data.unreadable", where + ": " + what, "write {\"prompt\": text} or {\"ids\": [token ids]}", "", false};
        };
        if (!list.is_array()) return bad("'ids' is not a list");
        std::vector<int32_t> prompt;
        for (const json& id : list) {
            const bool whole = id.is_number_integer();
            if (!whole || id.get<int64_t>() < 0 || id.get<int64_t>() >= vocab)
                return bad(id.dump() + " is no token id below " + std::to_string(vocab));
            prompt.push_back(id.get<int32_t>());
        }
        return add(std::move(prompt), where);
    }
    Status addLines(const std::string& path) {
        QW_TRY(const std::string text, readFile(path, kTextLimit));
        size_t number = 0;
        for (size_t from = 0; from < text.size();) {
            const size_t end = std::min(text.find('\n', from), text.size());
            const json line = json::parse(text.begin() + static_cast<std::ptrdiff_t>(from), text.begin() + static_cast<std::ptrdiff_t>(end),
                                          nullptr, false);
            const std::string where = path + ":" + std::to_string(++number);
            from = end + 1;
            const bool hasText = line.is_object() && line.contains("prompt") && line["prompt"].is_string();
            if (hasText)
                QW_CHECK(addText(line["prompt"].get<std::string>(), where));
            else if (line.is_object() && line.contains("ids"))
                QW_CHECK(addIds(line["ids"], where));
            else
                return Error{"data.unreadable", where + ": neither a prompt nor ids", "write {\"prompt\": text} or {\"ids\": [token ids]}",
                             "", false};
        }
        if (number == 0) return Error{"data.empty", path + " holds no prompt", "write one JSON object a line", "", false};
        return {};
    }
};

// generation_config.json has the last word, then config.json, then what the tokenizer calls EOS (models.md 1.5).
Result<std::vector<int64_t>> endIds(const fs::path& folder, const model::Decoder& decoder, const tokenizer::Tokenizer* tokenizer) {
    const fs::path path = folder / "generation_config.json";
    std::error_code error;
    if (fs::exists(path, error)) {
        QW_TRY(const std::string text, readFile(path, 1 << 20));
        const json config = json::parse(text, nullptr, false);
        if (!config.is_object())
            return Error{"file.corrupt", path.string() + " is not a JSON object", "the file is damaged: fetch it again", "", false};
        const json end = config.value("eos_token_id", json());
        std::vector<int64_t> ids;
        for (const json& id : end.is_array() ? end : json::array({end}))
            if (id.is_number_integer()) ids.push_back(id.get<int64_t>());
        if (!ids.empty()) return ids;
    }
    if (!decoder.config().eosIds.empty() || !tokenizer) return decoder.config().eosIds;
    return std::vector<int64_t>(tokenizer->specials().eos.begin(), tokenizer->specials().eos.end());
}

json describe(const eval::Generated& done, size_t index, size_t promptTokens) {
    json ids = done.ids;
    const double speed = done.seconds > 0 ? static_cast<double>(done.steps) / done.seconds : 0;
    return {{"prompt", index},       {"prompt_tokens", promptTokens},        {"ids", std::move(ids)},   {"text", done.text},
            {"finish", done.finish}, {"prompt_seconds", done.promptSeconds}, {"seconds", done.seconds}, {"tokens_per_second", speed}};
}

void warnAboutPositions(const TaskContext& context, const model::Decoder& decoder, const Prompts& prompts, int64_t maxNewTokens) {
    size_t longest = 0;
    for (const auto& ids : prompts.ids) longest = std::max(longest, ids.size());
    const int64_t positions = static_cast<int64_t>(longest) + maxNewTokens - 1;
    if (decoder.config().maxPositions <= 0 || positions <= decoder.config().maxPositions) return;
    context.emit(wire::Notice{false, "config.conflict",
                              "up to " + std::to_string(positions) + " positions, the model is made for " +
                                  std::to_string(decoder.config().maxPositions),
                              "a shorter prompt or fewer --max-new-tokens keep the quality", ""});
}

} // namespace

Result<std::string> generateTask(const std::string& params, const TaskContext& context) {
    const json p = json::parse(params, nullptr, false);
    const fs::path folder = p.value("model", "");
    std::optional<records::QatBlock> scheme;
    if (const std::string preset = p.value("scheme", ""); !preset.empty()) {
        QW_TRY(scheme, config::schemePreset(preset));
        QW_CHECK(config::applySets(*scheme, p.value("set", std::vector<std::string>())));
    }
    QW_TRY(auto loaded, LoadedModel::open(folder, p.value("device", "auto"), p.value("dtype", ""), p.value("threads", int64_t{0}), scheme));
    const model::Decoder& decoder = loaded->decoder();
    auto read = tokenizer::Tokenizer::load(folder);
    const tokenizer::Tokenizer* tokenizer = read ? &*read : nullptr;
    Prompts prompts{tokenizer, read ? Error{} : read.error(), decoder.config().vocab, {}};
    if (p.contains("text"))
        QW_CHECK(prompts.addText(p["text"].get<std::string>(), "the prompt"));
    else if (p.contains("text_file")) {
        const auto path = p["text_file"].get<std::string>();
        QW_TRY(const std::string text, readFile(path, kTextLimit));
        QW_CHECK(prompts.addText(text, path));
    } else
        QW_CHECK(prompts.addLines(p.value("jsonl", "")));
    eval::GenerateOptions options;
    options.sampling = {p.value("temperature", 0.0), p.value("top_k", int64_t{300}), p.value("top_p", 1.0), p.value("seed", uint64_t{42})};
    options.maxNewTokens = p.value("max_new_tokens", int64_t{300});
    options.stops = p.value("stop", std::vector<std::string>());
    options.cancel = &context.cancel;
    QW_TRY(options.endIds, endIds(folder, decoder, tokenizer));
    warnAboutPositions(context, decoder, prompts, options.maxNewTokens);
    double seconds = 0;
    int64_t steps = 0;
    size_t done = 0;
    for (; done < prompts.ids.size() && context.cancel.level() < CancelLevel::StopAtStep; ++done) {
        options.prompt = static_cast<uint32_t>(done);
        const auto onToken = [&](int32_t id, const std::string& text) {
            context.emit(wire::RawEvent{"token", dump({{"prompt", done}, {"id", id}, {"text", text}})});
        };
        QW_TRY(const auto one, eval::generate(decoder, tokenizer, prompts.ids[done], options, onToken));
        seconds += one.seconds;
        steps += one.steps;
        context.emit(wire::RawEvent{"generated", dump(describe(one, done, prompts.ids[done].size()))});
    }
    return dump({{"prompts", done},
                 {"of", prompts.ids.size()},
                 {"tokens_per_second", seconds > 0 ? static_cast<double>(steps) / seconds : 0},
                 {"device", decoder.device().str()}});
}

} // namespace qw::engine
