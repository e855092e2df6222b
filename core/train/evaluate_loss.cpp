// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/loss.h"
#include "train/micro_batches.h"
#include "train/trainer.h"

#include <ATen/core/grad_mode.h>
#include <algorithm>

namespace qw::train {

// Rows in dataset order; each row's sum and the total in fp64, so that the batch size only decides about padding.
EvalLoss evaluateLoss(const model::Decoder& decoder, const data::Dataset& data, const records::Recipe& recipe, const CancelToken* cancel,
                      const std::function<void(int64_t done, int64_t total)>& progress) {
    EvalLoss result;
    const at::NoGradGuard noGrad;
    const int64_t rowsAtOnce = std::max<int64_t>(1, recipe.eval.batch > 0 ? recipe.eval.batch : recipe.train.microBatch);
    model::ForwardOptions options;
    options.cancel = cancel;
    double sum = 0;
    try {
        const at::Tensor head = decoder.headWeight();
        for (int64_t first = 0; first < data.rows(); first += rowsAtOnce) {
            std::vector<int64_t> rows;
            for (int64_t r = first; r < std::min(data.rows(), first + rowsAtOnce); ++r) rows.push_back(r);
            const data::MicroBatch micro = data.batch(rows, recipe.data.seqLen, recipe.data.padMultiple);
            const Batch batch = toBatch(micro, decoder.device());
            std::vector<double> rowSums(rows.size(), 0.0);
            std::vector<int64_t> rowLabels(rows.size(), 0);
            if (!batch.keep.empty()) {
                const at::Tensor hidden = decoder.headInput(decoder.hidden(batch.rows, options));
                const at::Tensor losses = crossEntropyRows(hidden, head, batch.keep, batch.labels).to(at::kCPU).contiguous();
                const auto* loss = losses.const_data_ptr<float>();
                for (size_t i = 0; i < batch.keep.size(); ++i) {
                    const auto row = static_cast<size_t>(batch.keep[i] / micro.length);
                    rowSums[row] += static_cast<double>(loss[i]);
                    ++rowLabels[row];
                }
            }
            for (size_t r = 0; r < rows.size(); ++r) {
                records::EvalItem item;
                item.item = rows[r];
                item.ll = {-rowSums[r]};
                item.tokens = rowLabels[r];
                sum += rowSums[r];
                result.labels += rowLabels[r];
                result.items.push_back(std::move(item));
            }
            result.tokens += micro.tokens;
            if (progress) progress(first + static_cast<int64_t>(rows.size()), data.rows());
            if (cancel && cancel->now()) throw model::Cancelled{};
        }
    } catch (const model::Cancelled&) {
        result.cancelled = true;
    }
    result.loss = result.labels > 0 ? sum / static_cast<double>(result.labels) : 0.0;
    return result;
}

} // namespace qw::train
