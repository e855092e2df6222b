// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qw::config {
namespace {

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The operation order is that of transformers/optimization.py, so that the last bit agrees too.
double cosine(double cycles, double progress) { return std::max(0.0, 0.5 * (1.0 + std::cos(std::numbers::pi * cycles * 2.0 * progress))); }

} // namespace

EpochPlan epochPlan(const records::Recipe& recipe, int64_t rows) {
    const int64_t batch = std::max<int64_t>(1, recipe.train.microBatch);
    const int64_t accumulate = std::max<int64_t>(1, recipe.train.gradAccum);
    EpochPlan plan;
    plan.microBatches = recipe.data.dropLast ? rows / batch : ceilDiv(rows, batch);
    if (recipe.train.partialAccumulation == "drop") {
        plan.stepsPerEpoch = plan.microBatches / accumulate;
        plan.microBatches = plan.stepsPerEpoch * accumulate;
    } else {
        plan.stepsPerEpoch = ceilDiv(plan.microBatches, accumulate);
    }
    plan.rowsPerEpoch = std::min(rows, plan.microBatches * batch);
    return plan;
}

int64_t totalSteps(const records::Recipe& recipe, int64_t rows) {
    if (recipe.train.maxSteps > 0) return recipe.train.maxSteps;
    return static_cast<int64_t>(std::ceil(recipe.train.epochs * static_cast<double>(epochPlan(recipe, rows).stepsPerEpoch)));
}

int64_t resolveCadence(double every, int64_t totalSteps) {
    if (!(every > 0)) return 0;
    if (every < 1) return std::max<int64_t>(1, static_cast<int64_t>(std::floor(every * static_cast<double>(totalSteps))));
    return static_cast<int64_t>(every);
}

int64_t warmupSteps(const records::ScheduleBlock& schedule, int64_t totalSteps) {
    if (schedule.warmupSteps > 0) return schedule.warmupSteps;
    return static_cast<int64_t>(std::ceil(schedule.warmupRatio * static_cast<double>(totalSteps)));
}

double lrFactor(const records::ScheduleBlock& schedule, int64_t step, int64_t totalSteps) {
    if (schedule.name == "constant") return 1.0;
    const int64_t warmup = warmupSteps(schedule, totalSteps);
    if (step < warmup) {
        if (schedule.warmupFrom == "one") return static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
        return static_cast<double>(step) / static_cast<double>(std::max<int64_t>(1, warmup));
    }
    const auto span = static_cast<double>(std::max<int64_t>(1, totalSteps - warmup));
    const double progress = static_cast<double>(step - warmup) / span;
    if (schedule.name == "linear") return std::max(0.0, static_cast<double>(totalSteps - step) / span);
    if (schedule.name == "cosine") return cosine(schedule.cycles, progress);
    if (schedule.name == "cosine_min") return cosine(schedule.cycles, progress) * (1.0 - schedule.minLrRatio) + schedule.minLrRatio;
    if (schedule.name == "wsd" && schedule.decaySteps > 0 && step >= totalSteps - schedule.decaySteps) {
        const double left = std::max(0.0, static_cast<double>(totalSteps - step) / static_cast<double>(schedule.decaySteps));
        return left * (1.0 - schedule.minLrRatio) + schedule.minLrRatio;
    }
    return 1.0; // constant_warmup, and wsd before its decay
}

} // namespace qw::config
