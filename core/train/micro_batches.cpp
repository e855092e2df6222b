// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/micro_batches.h"

#include <ATen/ops/from_blob.h>
#include <algorithm>

namespace qw::train {

Batch toBatch(const data::MicroBatch& from, at::Device device) {
    Batch batch;
    auto* ids = const_cast<int64_t*>(from.ids.data()); // from_blob takes no const pointer; the copy below reads only
    batch.rows.ids = at::from_blob(ids, {from.rows, from.length}, at::TensorOptions().dtype(at::kLong)).clone().to(device);
    batch.rows.starts = from.starts;
    batch.tokens = from.tokens;
    batch.keep.reserve(static_cast<size_t>(from.validLabels));
    batch.labels.reserve(static_cast<size_t>(from.validLabels));
    for (size_t i = 0; i < from.labels.size(); ++i) {
        if (from.labels[i] == data::kIgnore) continue;
        batch.keep.push_back(static_cast<int64_t>(i));
        batch.labels.push_back(from.labels[i]);
    }
    return batch;
}

SampleOrder::SampleOrder(const data::Dataset& dataset, const records::Recipe& recipe)
    : m_dataset(dataset),
      m_recipe(recipe),
      m_plan(config::epochPlan(recipe, dataset.rows())),
      m_seed(recipe.seeds.empty() ? 42 : recipe.seeds.front()) {}

double SampleOrder::epochs(int64_t g) const {
    return static_cast<double>(g) / static_cast<double>(std::max<int64_t>(1, m_plan.rowsPerEpoch));
}

StepData SampleOrder::load(int64_t g, const std::vector<std::pair<int64_t, int64_t>>& skips, at::Device device, int64_t microBatch) const {
    for (const auto& [first, end] : skips)
        if (g == first) g = end;
    StepData step;
    step.first = g;
    const int64_t epoch = g / m_plan.rowsPerEpoch;
    const int64_t asked = std::max<int64_t>(1, m_recipe.train.gradAccum) * m_recipe.train.microBatch;
    const int64_t end = std::min(g + asked, (epoch + 1) * m_plan.rowsPerEpoch); // the epoch's last step is shorter
    while (g < end) {
        const int64_t index = g - epoch * m_plan.rowsPerEpoch;
        const int64_t count = std::min(microBatch > 0 ? microBatch : m_recipe.train.microBatch, end - g);
        std::vector<int64_t> rows(static_cast<size_t>(count));
        for (int64_t b = 0; b < count; ++b)
            rows[static_cast<size_t>(b)] = m_recipe.data.shuffle ? m_dataset.permuted(m_seed, epoch, index + b) : index + b;
        const data::MicroBatch micro = m_dataset.batch(rows, m_recipe.data.seqLen, m_recipe.data.padMultiple);
        step.labels += micro.validLabels;
        step.tokens += micro.tokens;
        step.batches.push_back(toBatch(micro, device));
        g += count;
    }
    step.next = g;
    return step;
}

} // namespace qw::train
