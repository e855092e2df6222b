// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/clock.h"
#include "train/bad_layer.h"
#include "train/loop.h"

#include <algorithm>
#include <cmath>

namespace qw::train {
namespace {

constexpr int64_t kMostInARow = 3, kMostPerThousand = 10; // engine.md 7, policy skip
constexpr int64_t kMostRollbacks = 2, kHalvedSteps = 100; // engine.md 7, policy rollback

} // namespace

Result<Loop::Next> Loop::nonfinite(const StepData& data, double loss) {
    const std::string where = firstBadPlace(m_job, *m_optimizer, data);
    m_optimizer->clearGradients();
    const std::string what = "step " + std::to_string(m_state.step) + ": " + (std::isfinite(loss) ? "the gradient" : "the loss") +
                             " is not a finite number; the first bad place is " + where;
    const Error stop{"train.nonfinite", what, "lower optim.lr or clip harder, check the data around this step, or use fp32", {}, false};
    const std::string& policy = m_job.recipe.watchdog.nonfinite;
    const bool weightIsBad = where.starts_with("the weight ");
    if (policy == "stop") return stop;
    if (policy == "skip") {
        ++m_state.nonfinite;
        ++m_state.nonfiniteRow;
        const bool often = m_state.nonfinite > std::max(kMostPerThousand, (m_state.step + 1) * kMostPerThousand / 1000);
        if (weightIsBad || m_state.nonfiniteRow > kMostInARow || often) return stop;
        notice("warning.nonfinite_skipped", what + "; the update was left out");
        StepFacts facts;
        facts.loss = loss;
        return finishStep(data, facts, monotonicNs());
    }
    if (m_state.rollbacks >= kMostRollbacks) return stop;
    notice("warning.rollback", what + "; going back to the last checkpoint and leaving out this data");
    QW_CHECK(rollBack(data));
    for (const model::Parameter& parameter : m_job.decoder.parameters())
        if (!std::isfinite(parameter.tensor.detach().sum(at::kDouble).item<double>())) return stop; // there was no checkpoint to go back to
    return Next::Again;
}

Status Loop::rollBack(const StepData& data) {
    collect(true); // a checkpoint that is being written counts
    TrainState now = m_state;
    std::vector<Rejected> rejected;
    if (const std::optional<Loaded> loaded = m_checkpoints.newest(rejected)) {
        QW_TRY(const StoredState before, parseState(loaded->stateJson));
        QW_CHECK(loadFrom(*loaded, before));
        tellAttempt(true); // later points replace those of the steps that are made again
    }
    m_state.rollbacks = now.rollbacks + 1;
    m_state.nonfinite = now.nonfinite + 1;
    m_state.skips = std::move(now.skips);
    m_state.fit = now.fit;
    m_state.skips.emplace_back(data.first, data.next);
    m_state.halvedUntil = m_state.step + kHalvedSteps;
    return {};
}

bool Loop::evaluate() {
    quant::Quantizer* quantizer = m_job.quantizer;
    const auto lossNow = [this] {
        return evaluateLoss(m_job.decoder, *m_job.evalData, m_job.recipe, &m_job.cancel, [this](int64_t, int64_t) {
            if (m_job.onStep) m_job.onStep(m_state.step);
            (void)pollPause(m_job, m_beforePause);
        });
    };
    if (quantizer) quantizer->setEnabled(true); // evaluation always has it on (training.md 8)
    const EvalLoss loss = lossNow();
    if (loss.cancelled) return false;
    wire::Metrics metrics;
    metrics.step = m_state.step;
    metrics.values = {{"eval.loss", loss.loss}, {"eval.ppl", std::exp(loss.loss)}};
    if (quantizer && quantizer->plan().block.logFloatEval) {
        quantizer->setEnabled(false);
        const EvalLoss plain = lossNow();
        quantizer->setEnabled(true);
        if (plain.cancelled) return false;
        metrics.values.emplace_back("eval.loss_float", plain.loss);
    }
    m_job.emit(std::move(metrics));
    m_state.lastEval = loss.loss;
    m_state.lastEvalStep = m_state.step;
    const bool better = std::isfinite(loss.loss) && (!m_state.bestEval || loss.loss < *m_state.bestEval);
    m_state.evalsWithoutGain = better ? 0 : m_state.evalsWithoutGain + 1;
    if (better) m_state.bestEval = loss.loss;
    return true;
}

Status Loop::loadBest() {
    if (m_state.bestSavedStep < 0 || m_state.bestSavedStep == m_state.step) return {};
    QW_TRY(const Loaded best, m_checkpoints.open(m_state.bestSavedStep));
    QW_CHECK(restoreTensors(best, *m_optimizer, true));
    if (m_job.quantizer) m_job.quantizer->weightsChanged();
    m_state.lastEval = m_state.bestSaved;
    m_state.lastEvalStep = m_state.step;
    notice("train.best_loaded",
           "the weights of step " + std::to_string(m_state.bestSavedStep) + " had the lowest evaluation loss and are kept");
    return {};
}

} // namespace qw::train
