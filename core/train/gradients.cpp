// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/gradients.h"

#include "train/loss.h"

#include <chrono>
#include <thread>

namespace qw::train {

bool pollPause(Job& job, const std::function<void()>& beforePause) {
    if (job.cancel.level() != CancelLevel::Pause) return !job.cancel.now();
    if (beforePause) beforePause();
    job.emit(wire::StateChange{records::RunState::Paused, "train", "on request"});
    while (job.cancel.level() == CancelLevel::Pause) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (job.cancel.level() == CancelLevel::None) job.emit(wire::StateChange{records::RunState::Running, "train", "resumed"});
    return !job.cancel.now();
}

StepLoss computeGradients(Job& job, Optimizer& optimizer, const StepData& step, const Fit& fit, PhaseClock& clock,
                          const std::function<void()>& beforePause) {
    StepLoss result;
    model::ForwardOptions options;
    options.checkpointLayers = job.recipe.activationCheckpointing == "layer" || fit.checkpointLayers;
    options.cancel = &job.cancel;
    const bool perMicro = job.recipe.lossNormalise == "micro";
    optimizer.clearGradients();
    for (const Batch& batch : step.batches) {
        if (!pollPause(job, beforePause)) {
            result.cancelled = true;
            break;
        }
        if (batch.keep.empty()) continue;
        const double labels =
            perMicro ? static_cast<double>(batch.keep.size()) * static_cast<double>(step.batches.size()) : static_cast<double>(step.labels);
        try {
            at::Tensor loss;
            {
                const PhaseClock::Scope scope = clock.in(Phase::Forward);
                const at::Tensor hidden = job.decoder.headInput(job.decoder.hidden(batch.rows, options));
                loss = linearCrossEntropy(hidden, job.decoder.headWeight(), batch.keep, batch.labels, 1.0 / labels, fit.lossRows);
            }
            const PhaseClock::Scope scope = clock.in(Phase::Backward);
            loss.backward();
            optimizer.collectMicroBatch();
            result.loss += loss.item<double>();
        } catch (const model::Cancelled&) {
            result.cancelled = true;
            break;
        }
    }
    if (result.cancelled) optimizer.clearGradients();
    return result;
}

} // namespace qw::train
