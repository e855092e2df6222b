// SPDX-License-Identifier: GPL-3.0-or-later
#include "eval/evaluator.h"

#include "base/clock.h"
#include "base/digest.h"
#include "eval/scorer.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace qw::eval {
namespace {

using Json = nlohmann::ordered_json;

Result<EncodeRules> resolve(const model::Decoder& decoder, const tokenizer::Tokenizer& tokenizer, const Settings& settings) {
    const auto invalid = [](std::string message, std::string hint) {
        return Error{"config.invalid", std::move(message), std::move(hint), {}, false};
    };
    if (settings.bos != "auto" && settings.bos != "on" && settings.bos != "off")
        return invalid("bos is \"" + settings.bos + "\"", "choose auto, on or off");
    if (settings.maxLength < 0) return invalid("max_length is below 0", "give a number of tokens, or 0 for the model's own");
    EncodeRules rules;
    rules.bos = settings.bos;
    rules.maxLength = settings.maxLength > 0              ? settings.maxLength
                      : decoder.config().maxPositions > 0 ? decoder.config().maxPositions
                                                          : 2048;
    const auto& specials = tokenizer.specials();
    if (settings.prefixId)
        rules.prefix = *settings.prefixId;
    else if (specials.bos)
        rules.prefix = *specials.bos;
    else if (!specials.eos.empty())
        rules.prefix = specials.eos.front();
    else
        return invalid("the tokenizer names neither BOS nor EOS", "set prefix_id to the token that a text begins with");
    if (rules.prefix < 0 || rules.prefix >= decoder.config().vocab)
        return invalid("prefix_id " + std::to_string(rules.prefix) + " is not a token of the model",
                       "choose an id below " + std::to_string(decoder.config().vocab));
    return rules;
}

// Every id needs a row of the embedding.
Status checkIds(const Work& work, int64_t vocab) {
    const auto check = [vocab](const Ids& ids) -> Status {
        for (const int32_t id : ids)
            if (id < 0 || id >= vocab)
                return Error{"model.shape",
                             "the tokenizer gives id " + std::to_string(id) + ", the embedding has " + std::to_string(vocab) + " rows",
                             "use the tokenizer that belongs to this model",
                             {},
                             false};
        return {};
    };
    for (const Request& request : work.single) {
        QW_CHECK(check(request.input));
        QW_CHECK(check(request.targets));
    }
    for (const SharedRequest& request : work.shared) {
        QW_CHECK(check(request.context));
        for (const Ids& ending : request.endings) QW_CHECK(check(ending));
    }
    return {};
}

// RoPE kinds whose frequencies follow the length of the call give other numbers to other batch mates beyond the trained length.
bool lengthDependent(const checkpoint::ModelConfig& config, const Work& work) {
    if (config.rope.type != "dynamic" && config.rope.type != "longrope") return false;
    size_t longest = 0;
    for (const Request& request : work.single) longest = std::max(longest, request.input.size());
    for (const SharedRequest& request : work.shared)
        for (const Ids& ending : request.endings) longest = std::max(longest, request.context.size() + ending.size());
    return static_cast<int64_t>(longest) > config.rope.originalMaxPositions;
}

int64_t inputTokens(const Work& work) {
    size_t tokens = 0;
    for (const Request& request : work.single) tokens += request.input.size();
    for (const SharedRequest& request : work.shared) {
        tokens += request.context.size();
        for (const Ids& ending : request.endings) tokens += ending.size() - 1;
    }
    return static_cast<int64_t>(tokens);
}

Result<Work> makeWork(const Encoder& encoder, const tasks::TaskData& task, bool shared) {
    const ParallelFor parallel = [](int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
        at::parallel_for(0, count, grain, body);
    };
    if (task.rows.empty()) return rollingWork(encoder, task.documents, parallel);
    return choiceWork(encoder, task.rows, shared, parallel);
}

const char* dtypeName(at::ScalarType type) {
    return type == at::kFloat ? "fp32" : type == at::kBFloat16 ? "bf16" : type == at::kHalf ? "fp16" : "other";
}

void describe(records::EvalResult& result, const model::Decoder& decoder, const Encoder& encoder, const tasks::TaskData& task,
              bool rowByRow, int64_t batchTokens, const Work& work) {
    const EncodeRules& rules = encoder.rules();
    Json numbers{{"kind", task.kind},
                 {"version", task.version},
                 {"adds_bos", encoder.addsBos()},
                 {"special_tokens", rules.bos != "off"},
                 {"prefix_id", rules.prefix},
                 {"max_length", rules.maxLength},
                 {"dtype", dtypeName(decoder.type())},
                 {"softmax_dtype", "fp32"},
                 {"fewshot", 0},
                 {"items", result.n},
                 {"of", task.total}};
    result.settingsHash = xxh3Hex(numbers.dump());
    Json all{{"bos", rules.bos}};
    all.update(numbers);
    all["truncated"] = work.truncated;
    all["known_file"] = task.knownFile;
    all["batch_tokens"] = batchTokens;
    all["shared_context"] = !work.shared.empty();
    all["row_by_row"] = rowByRow;
    all["notes"] = task.notes;
    result.settings = all.dump();
}

// Items in file order; the first score that is no number ends the evaluation.
Status collect(Scored& scored, const tasks::TaskData& task, const Work& work, const Likelihoods& sums) {
    for (size_t i = 0; i < sums.size(); ++i) {
        records::EvalItem item;
        item.item = static_cast<int64_t>(i);
        item.tokens = work.tokens[i];
        const int64_t line = task.rows.empty() ? task.documents[i].line : task.rows[i].line;
        for (const double ll : sums[i])
            if (!std::isfinite(ll))
                return Error{"train.nonfinite",
                             "item " + std::to_string(i) + " (line " + std::to_string(line) + ") has the score " + std::to_string(ll),
                             "look at the weights: a layer holds values that are not finite, or overflows in this dtype",
                             {},
                             false};
        if (!task.rows.empty()) {
            item.ll = sums[i];
            tasks::judgeChoice(task.rows[i], item);
        } else {
            double ll = 0;
            for (const double window : sums[i]) ll += window;
            item.ll = {ll};
            item.words = task.documents[i].words;
            item.bytes = task.documents[i].bytes;
        }
        scored.items.push_back(std::move(item));
    }
    return {};
}

} // namespace

bool needsRowByRow(const records::QatBlock& scheme) {
    return scheme.activation && scheme.activation->granularity == records::Granularity::PerTensor;
}

Settings settingsFrom(const records::EvalBlock& block) {
    Settings settings;
    settings.bos = block.bos;
    settings.maxLength = block.maxLength;
    settings.batchTokens = block.batchTokens;
    return settings;
}

Result<Scored> score(const model::Decoder& decoder, const tokenizer::Tokenizer& tokenizer, const tasks::TaskData& task,
                     const Settings& settings, const CancelToken* cancel, const std::function<void(int64_t, int64_t)>& progress) {
    const int64_t started = monotonicNs();
    QW_TRY(const EncodeRules rules, resolve(decoder, tokenizer, settings));
    const Encoder encoder(tokenizer, rules);
    bool rowByRow = settings.rowByRow;
    QW_TRY(Work work, makeWork(encoder, task, settings.sharedContext && !rowByRow));
    QW_CHECK(checkIds(work, decoder.config().vocab));
    if (!rowByRow && lengthDependent(decoder.config(), work)) {
        rowByRow = true;
        QW_TRY(work, makeWork(encoder, task, false));
    }

    // Choices are told by rows, documents by windows.
    std::vector<int64_t> open = work.parts;
    int64_t done = 0, total = 0;
    for (const int64_t parts : work.parts) total += task.rows.empty() ? parts : 1;
    const auto onDone = [&](int64_t item, int64_t parts) {
        int64_t& left = open[static_cast<size_t>(item)];
        left -= parts;
        done += task.rows.empty() ? parts : left == 0;
        if (progress) progress(done, total);
    };
    // Small batches stay in the CPU's caches: 2048 took half of 8192's time on stories260K.
    const int64_t automatic = decoder.device().is_cuda() ? 32768 : 2048;
    const BatchRules batches{settings.batchTokens > 0 ? settings.batchTokens : automatic, rowByRow, cancel};
    Likelihoods sums;
    try {
        const at::NoGradGuard noGrad; // not inference mode: tensors that a hook caches here are used by training later
        sums = scoreWork(decoder, work, batches, onDone);
    } catch (const model::Cancelled&) {
        return Error{"engine.cancelled", "the evaluation was cancelled", {}, {}, true};
    }

    Scored scored;
    QW_CHECK(collect(scored, task, work, sums));
    records::EvalResult& result = scored.result;
    result.task = result.kind = task.kind;
    result.taskVersion = task.version;
    result.n = static_cast<int64_t>(scored.items.size());
    result.metrics = tasks::taskMetrics(task.kind, scored.items);
    result.taskDigest = task.digest;
    describe(result, decoder, encoder, task, rowByRow, batches.tokens, work);
    const double seconds = static_cast<double>(monotonicNs() - started) * 1e-9;
    result.tokensPerSecond = static_cast<double>(inputTokens(work)) / std::max(seconds, 1e-9);
    return scored;
}

} // namespace qw::eval
