// SPDX-License-Identifier: GPL-3.0-or-later
// What: every scalar of a run that a resume needs (training.md 12), what a run is made of, and their JSON form, state.json.
#pragma once

#include "base/result.h"
#include "train/watchdog.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qw::train {

// What a step was cut to so that it fits into memory; 0 and false: as the recipe says.
struct Fit {
    int64_t microBatch = 0; // rows; the rows of a step stay the same
    bool checkpointLayers = false;
    int64_t lossRows = 0; // of a chunk of the loss
    bool operator==(const Fit&) const = default;
};

struct TrainState {
    int64_t step = 0;    // completed steps, empty and skipped ones included
    int64_t updates = 0; // optimizer updates
    int64_t sample = 0;  // global sample index g of the next micro-batch
    int64_t tokens = 0, labels = 0;
    int64_t skippedSteps = 0;                // without a valid label
    int64_t nonfinite = 0, nonfiniteRow = 0; // skipped updates: all, consecutive
    int64_t rollbacks = 0;
    int64_t halvedUntil = -1;                       // learning rate is halved in steps before this one
    std::vector<std::pair<int64_t, int64_t>> skips; // [first, end) sample ranges that a rollback leaves out
    std::optional<double> lastLoss;
    std::optional<double> lastEval, bestEval; // loss on data.eval
    int64_t lastEvalStep = -1;
    int64_t evalsWithoutGain = 0;
    std::optional<double> bestSaved; // best evaluation loss among checkpoints
    int64_t bestSavedStep = -1;
    bool finished = false; // by the step count or by early stopping
    WatchdogState watchdog;
    Fit fit;
};

// name -> text; what must not change between attempts, and what makes them bit-identical.
using Facts = std::map<std::string, std::string>;

struct StoredState {
    TrainState state;
    Facts fixed;       // refused when different
    Facts environment; // bitwise: false when different
    std::string configHash;
};

[[nodiscard]] std::string toJson(const StoredState& stored);
[[nodiscard]] Result<StoredState> parseState(std::string_view json);

} // namespace qw::train
