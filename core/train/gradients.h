// SPDX-License-Identifier: GPL-3.0-or-later
// What: forward and backward over the micro-batches of one step, with the loss normalised over the whole step (training.md 3).
#pragma once

#include "train/micro_batches.h"
#include "train/optimizer.h"
#include "train/telemetry.h"
#include "train/train_state.h"

namespace qw::train {

// Waits while the job is paused, telling so; before that beforePause (may be empty). False: cancelled at level now.
[[nodiscard]] bool pollPause(Job& job, const std::function<void()>& beforePause);

struct StepLoss {
    double loss = 0;        // nats per label, what was optimised
    bool cancelled = false; // gradients are of no use
};
[[nodiscard]] StepLoss computeGradients(Job& job, Optimizer& optimizer, const StepData& step, const Fit& fit, PhaseClock& clock,
                                        const std::function<void()>& beforePause);

} // namespace qw::train
