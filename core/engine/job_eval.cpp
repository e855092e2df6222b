// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/job_eval.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/files.h"
#include "base/ids.h"
#include "engine/crash.h"
#include "eval/evaluator.h"
#include "train/trainer.h"
#include "wire/json_events.h"
#include "wire/run_folder.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace qw::engine {
namespace {

constexpr const char* kLossTask = "loss";

Error cancelled() { return Error{"engine.cancelled", "the evaluation was stopped", "run it again to continue", "", true}; }

// Progress at most five times a second, with an estimate from the speed so far.
class ProgressReport {
public:
    ProgressReport(wire::Sink emit, std::string unit) : m_emit(std::move(emit)), m_unit(std::move(unit)), m_startNs(monotonicNs()) {}
    void operator()(int64_t done, int64_t total) {
        const int64_t now = monotonicNs();
        if (done < total && now - m_lastNs < 200'000'000) return;
        m_lastNs = now;
        const double seconds = static_cast<double>(now - m_startNs) * 1e-9;
        const double eta = done > 0 ? seconds / static_cast<double>(done) * static_cast<double>(total - done) : -1;
        m_emit(wire::Progress{"eval", m_unit, done, total, eta});
    }
    [[nodiscard]] double seconds() const { return static_cast<double>(monotonicNs() - m_startNs) * 1e-9; }

private:
    wire::Sink m_emit;
    std::string m_unit;
    int64_t m_startNs, m_lastNs = 0;
};

// One JSON line an item, complete before anything refers to it.
Status writeItems(const std::filesystem::path& runDir, records::EvalResult& result, const std::vector<records::EvalItem>& items) {
    result.uid = newUlid();
    result.createdMs = wallMs();
    if (items.empty()) return {};
    const wire::RunFolder folder{runDir};
    QW_CHECK(makeDirs(folder.eval()));
    std::string text;
    for (const auto& item : items) text += wire::toJson(item) + '\n';
    result.itemsPath = "eval/" + result.uid + ".jsonl";
    return writeFileAtomic(runDir / result.itemsPath, text);
}

Status finish(JobInput& input, records::EvalResult result, const std::vector<records::EvalItem>& items, const EvalPlan& plan) {
    result.variant = plan.variant;
    result.atStep = -1;
    auto settings = nlohmann::json::parse(result.settings.empty() ? "{}" : result.settings, nullptr, false);
    if (!settings.is_object()) settings = nlohmann::json::object();
    settings["dtype"] = dtypeName(plan.dtype);
    result.settings = settings.dump();
    if (result.settingsHash.empty()) result.settingsHash = xxh3Hex(result.settings); // tasks name theirs: batches do not change numbers
    QW_CHECK(writeItems(input.runDir, result, items));
    input.journal.evals.push_back(wire::EvalDone{result});
    input.emit(wire::EvalDone{std::move(result)});
    return {};
}

Status evaluateTask(JobInput& input, const model::Decoder& decoder, const tokenizer::Tokenizer& tokenizer, const EvalPlan& plan,
                    const records::EvalTask& task) {
    QW_TRY(const tasks::TaskData data, tasks::loadTask(task));
    for (const auto& note : data.notes) input.emit(wire::LogLine{1, task.name + ": " + note});
    eval::Settings settings = eval::settingsFrom(input.recipe.eval);
    settings.rowByRow = plan.rowByRow || (plan.variant != "float" && input.recipe.qat && eval::needsRowByRow(*input.recipe.qat));
    EvalGate gate(input.cancel, input.emit);
    ProgressReport report(input.emit, task.name);
    auto scored = eval::score(decoder, tokenizer, data, settings, gate.token(), [&](int64_t done, int64_t total) {
        gate.poll();
        report(done, total);
    });
    if (gate.stopped()) return cancelled();
    if (!scored) return std::move(scored).error();
    scored->result.task = task.name;
    scored->result.limit = task.limit;
    return finish(input, std::move(scored->result), scored->items, plan);
}

Status evaluateLossTask(JobInput& input, const model::Decoder& decoder, const EvalPlan& plan, const data::Dataset& data) {
    EvalGate gate(input.cancel, input.emit);
    ProgressReport report(input.emit, kLossTask);
    auto scored = train::evaluateLoss(decoder, data, input.recipe, gate.token(), [&](int64_t done, int64_t total) {
        gate.poll();
        report(done, total);
    });
    if (gate.stopped()) return cancelled();
    if (scored.labels == 0)
        return Error{"data.empty", "data.eval has no token to predict", "give longer documents or another file", "", false};
    if (!std::isfinite(scored.loss))
        return Error{"train.nonfinite", "the loss on data.eval is not finite", "look at the training's loss and the scheme", "", false};
    records::EvalResult result;
    result.task = result.kind = kLossTask;
    result.taskVersion.assign(1, '1'); // GCC 12 warns wrongly (-Wrestrict) about = "1" here
    result.n = scored.labels;
    result.metrics = {{"loss", scored.loss, std::nullopt}, {"perplexity", std::exp(scored.loss), std::nullopt}};
    result.taskDigest = data.digest();
    const auto& options = input.recipe.data;
    result.settings =
        nlohmann::json{{"seq_len", options.seqLen}, {"packing", options.packing}, {"document_mask", options.documentMask}}.dump();
    const double seconds = report.seconds();
    result.tokensPerSecond = seconds > 0 ? static_cast<double>(scored.tokens) / seconds : 0;
    return finish(input, std::move(result), scored.items, plan);
}

} // namespace

bool evaluationMissing(const JobInput& input, const std::string& variant) {
    if (!input.recipe.data.eval.empty() && !input.journal.hasEval(input.runDir, kLossTask, variant)) return true;
    for (const auto& task : input.recipe.eval.tasks)
        if (!input.journal.hasEval(input.runDir, task.name, variant)) return true;
    return false;
}

Status evaluateAll(JobInput& input, const model::Decoder& decoder, const tokenizer::Tokenizer& tokenizer, const EvalPlan& plan,
                   const data::Dataset* lossData) {
    setPlace("eval");
    input.emit(wire::StateChange{records::RunState::Running, "eval", ""});
    if (lossData && !input.journal.hasEval(input.runDir, kLossTask, plan.variant))
        QW_CHECK(evaluateLossTask(input, decoder, plan, *lossData));
    for (const auto& task : input.recipe.eval.tasks) {
        if (input.journal.hasEval(input.runDir, task.name, plan.variant)) continue;
        auto done = evaluateTask(input, decoder, tokenizer, plan, task);
        if (!done && done.error().code == "engine.cancelled") return done;
        if (!done) return std::move(done).error().at("task " + task.name);
    }
    return {};
}

} // namespace qw::engine
