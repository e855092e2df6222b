// SPDX-License-Identifier: GPL-3.0-or-later
// What: one training run: steps, evaluation loss, checkpoints, resume, telemetry (training.md 1, 3-8, 11, 12, 15).
#pragma once

#include "base/cancel.h"
#include "data/batches.h"
#include "model/decoder.h"
#include "quant/quantizer.h"
#include "records/recipe.h"
#include "train/live_settings.h"
#include "wire/sink.h"

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>

namespace qw::train {

struct Job {
    const records::Recipe& recipe;         // resolved: one seed, no schemes
    model::Decoder& decoder;               // start weights in; trained weights out
    quant::Quantizer* quantizer = nullptr; // null: plain training
    data::Dataset& trainData;
    data::Dataset* evalData = nullptr;
    std::filesystem::path runDir; // checkpoints/ lies here
    std::string configHash;       // resume is refused when it differs in more than what may change
    wire::Sink emit;
    CancelToken& cancel;
    std::function<void(int64_t step)> onStep;         // heartbeat's last progress
    std::atomic<bool>* checkpointRequested = nullptr; // set from another thread: write a checkpoint at the next step boundary, clear it
    LiveSettings* live = nullptr;                     // cadences that may change; null: the recipe's
    std::function<Status()> syncLog{};                // before a checkpoint becomes one: its steps must be in the log by then; any thread
    int attempt = 1;                                  // number of this engine start on this run
    bool extendSchedule = false;                      // more steps may be given on resume although they change the schedule's shape
    const checkpoint::Checkpoint* start = nullptr;    // bf16_master: fp32 masters are read from here, when it holds more bits than bf16
};

struct Outcome {
    int64_t steps = 0;
    int64_t totalSteps = 0;
    bool stopped = false;   // by request; resumable from the newest checkpoint (stop with checkpoint: from exactly here)
    bool cancelled = false; // stopped at level now, in the middle of a step
    double finalLoss = 0;
    std::optional<double> evalLoss; // on evalData, after the last step, fake quantization on
};

// Resumes from the newest valid checkpoint in runDir when there is one. train.nonfinite, train.diverged, train.resume_refused, disk.full,
// data.changed.
[[nodiscard]] Result<Outcome> train(Job& job);
// Token-weighted mean loss over a dataset, and how many labels it had; fake quantization as the quantizer is set (training.md 3).
struct EvalLoss {
    double loss = 0;
    int64_t labels = 0, tokens = 0;
    std::vector<records::EvalItem> items; // one a row of the dataset: ll and tokens, for paired bootstraps
    bool cancelled = false;               // stopped early at level now; the numbers are of no use
};
[[nodiscard]] EvalLoss evaluateLoss(const model::Decoder& decoder, const data::Dataset& data, const records::Recipe& recipe,
                                    const CancelToken* cancel, const std::function<void(int64_t done, int64_t total)>& progress);

} // namespace qw::train
