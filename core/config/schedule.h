// SPDX-License-Identifier: GPL-3.0-or-later
// What: how many steps a run has and which learning rate each one uses (training.md 1 and 5), as pure functions of the step.
// Why here: the engine trains by them and the window draws them.
#pragma once

#include "records/recipe.h"

#include <cstdint>

namespace qw::config {

// How one epoch is cut. Rows behind rowsPerEpoch are left out of that epoch.
struct EpochPlan {
    int64_t microBatches = 0;  // that are consumed in an epoch
    int64_t stepsPerEpoch = 0; // optimizer updates in an epoch
    int64_t rowsPerEpoch = 0;  // consumed sample indices in an epoch
};
[[nodiscard]] EpochPlan epochPlan(const records::Recipe& recipe, int64_t rows);
// total_steps for a dataset (training.md 1).
[[nodiscard]] int64_t totalSteps(const records::Recipe& recipe, int64_t rows);

// A cadence in steps: below 1 it is a share of all steps, at least 1; 0 stays off.
[[nodiscard]] int64_t resolveCadence(double every, int64_t totalSteps);
// Warm-up steps W: warmup_steps, else ceil(warmup_ratio * S) as transformers' get_warmup_steps.
[[nodiscard]] int64_t warmupSteps(const records::ScheduleBlock& schedule, int64_t totalSteps);
// lambda(k) of training.md 5 for the 0-based step k.
[[nodiscard]] double lrFactor(const records::ScheduleBlock& schedule, int64_t step, int64_t totalSteps);

} // namespace qw::config
