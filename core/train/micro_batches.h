// SPDX-License-Identifier: GPL-3.0-or-later
// What: the order of samples over a run (training.md 2.4) and micro-batches as tensors.
#pragma once

#include "config/schedule.h"
#include "data/batches.h"
#include "model/decoder.h"
#include "records/recipe.h"

#include <utility>
#include <vector>

namespace qw::train {

struct Batch {
    model::Rows rows;
    std::vector<int64_t> keep, labels; // flattened positions that have a label, and the labels
    int64_t tokens = 0;
};
[[nodiscard]] Batch toBatch(const data::MicroBatch& from, at::Device device);

struct StepData {
    std::vector<Batch> batches;
    int64_t labels = 0, tokens = 0;
    int64_t first = 0, next = 0; // global sample indices of this step: [first, next)
};

// Position is the single integer g, the global sample index of the next micro-batch.
class SampleOrder {
public:
    SampleOrder(const data::Dataset& dataset, const records::Recipe& recipe);
    [[nodiscard]] const config::EpochPlan& plan() const { return m_plan; }
    // The micro-batches of one step from g on; never over the end of an epoch. skips: ranges to jump over where they begin.
    // microBatch: the same rows in micro-batches of so many, 0: of the recipe's size.
    [[nodiscard]] StepData load(int64_t g, const std::vector<std::pair<int64_t, int64_t>>& skips, at::Device device,
                                int64_t microBatch = 0) const;
    [[nodiscard]] double epochs(int64_t g) const;

private:
    const data::Dataset& m_dataset;
    const records::Recipe& m_recipe;
    config::EpochPlan m_plan;
    uint64_t m_seed;
};

} // namespace qw::train
