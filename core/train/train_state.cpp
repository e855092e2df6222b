// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/train_state.h"

#include <nlohmann/json.hpp>

namespace qw::train {
namespace {

using nlohmann::json;

json optional(const std::optional<double>& value) { return value ? json(*value) : json(nullptr); }
std::optional<double> optional(const json& value) { return value.is_null() ? std::nullopt : std::optional<double>(value.get<double>()); }

json watchdogJson(const WatchdogState& w) {
    return {{"above", w.above}, {"over_median", w.overMedian}, {"block", w.block}, {"means", w.means}};
}

WatchdogState parseWatchdog(const json& j) {
    WatchdogState w;
    w.above = j.at("above").get<int64_t>();
    w.overMedian = j.at("over_median").get<int64_t>();
    w.block = j.at("block").get<std::vector<double>>();
    w.means = j.at("means").get<std::vector<double>>();
    return w;
}

json stateJson(const TrainState& s) {
    return {{"step", s.step},
            {"updates", s.updates},
            {"sample", s.sample},
            {"tokens", s.tokens},
            {"labels", s.labels},
            {"skipped_steps", s.skippedSteps},
            {"nonfinite", s.nonfinite},
            {"nonfinite_row", s.nonfiniteRow},
            {"rollbacks", s.rollbacks},
            {"halved_until", s.halvedUntil},
            {"skips", s.skips},
            {"last_loss", optional(s.lastLoss)},
            {"last_eval", optional(s.lastEval)},
            {"best_eval", optional(s.bestEval)},
            {"last_eval_step", s.lastEvalStep},
            {"evals_without_gain", s.evalsWithoutGain},
            {"best_saved", optional(s.bestSaved)},
            {"best_saved_step", s.bestSavedStep},
            {"finished", s.finished},
            {"watchdog", watchdogJson(s.watchdog)},
            {"fit", {{"micro_batch", s.fit.microBatch}, {"checkpoint_layers", s.fit.checkpointLayers}, {"loss_rows", s.fit.lossRows}}}};
}

TrainState parse(const json& j) {
    TrainState s;
    s.step = j.at("step").get<int64_t>();
    s.updates = j.at("updates").get<int64_t>();
    s.sample = j.at("sample").get<int64_t>();
    s.tokens = j.at("tokens").get<int64_t>();
    s.labels = j.at("labels").get<int64_t>();
    s.skippedSteps = j.at("skipped_steps").get<int64_t>();
    s.nonfinite = j.at("nonfinite").get<int64_t>();
    s.nonfiniteRow = j.at("nonfinite_row").get<int64_t>();
    s.rollbacks = j.at("rollbacks").get<int64_t>();
    s.halvedUntil = j.at("halved_until").get<int64_t>();
    s.skips = j.at("skips").get<std::vector<std::pair<int64_t, int64_t>>>();
    s.lastLoss = optional(j.at("last_loss"));
    s.lastEval = optional(j.at("last_eval"));
    s.bestEval = optional(j.at("best_eval"));
    s.lastEvalStep = j.at("last_eval_step").get<int64_t>();
    s.evalsWithoutGain = j.at("evals_without_gain").get<int64_t>();
    s.bestSaved = optional(j.at("best_saved"));
    s.bestSavedStep = j.at("best_saved_step").get<int64_t>();
    s.finished = j.at("finished").get<bool>();
    s.watchdog = parseWatchdog(j.at("watchdog"));
    if (const auto fit = j.find("fit"); fit != j.end()) { // older checkpoints have none
        s.fit.microBatch = fit->at("micro_batch").get<int64_t>();
        s.fit.checkpointLayers = fit->at("checkpoint_layers").get<bool>();
        s.fit.lossRows = fit->at("loss_rows").get<int64_t>();
    }
    return s;
}

} // namespace

std::string toJson(const StoredState& stored) {
    return json{{"format", 1},
                {"state", stateJson(stored.state)},
                {"fixed", stored.fixed},
                {"environment", stored.environment},
                {"config_hash", stored.configHash}}
        .dump(1);
}

Result<StoredState> parseState(std::string_view text) {
    try {
        const json j = json::parse(text);
        StoredState stored;
        stored.state = parse(j.at("state"));
        stored.fixed = j.at("fixed").get<Facts>();
        stored.environment = j.at("environment").get<Facts>();
        stored.configHash = j.at("config_hash").get<std::string>();
        return stored;
    } catch (const json::exception& error) {
        return Error{"file.corrupt", std::string("state.json cannot be read: ") + error.what(), {}, {}, false};
    }
}

} // namespace qw::train
