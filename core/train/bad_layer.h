// SPDX-License-Identifier: GPL-3.0-or-later
// What: finds where a number stopped being finite: a weight, a layer's output, or a gradient (engine.md 7).
#pragma once

#include "train/micro_batches.h"
#include "train/optimizer.h"
#include "train/trainer.h"

#include <string>

namespace qw::train {

// Words that name the first bad place of a step whose gradients are still there. Runs its forward passes once more, layer by layer.
[[nodiscard]] std::string firstBadPlace(Job& job, const Optimizer& optimizer, const StepData& step);

} // namespace qw::train
