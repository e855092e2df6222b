// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/loop.h"

#include "base/clock.h"

#include <algorithm>
#include <cmath>

namespace qw::train {

Outcome Loop::outcome() const {
    Outcome out;
    out.steps = m_state.step;
    out.totalSteps = m_total;
    out.finalLoss = m_state.lastLoss.value_or(std::nan(""));
    if (m_state.lastEvalStep == m_state.step) out.evalLoss = m_state.lastEval;
    return out;
}

Outcome Loop::halted(Next why) const {
    Outcome out = outcome();
    out.stopped = true;
    out.cancelled = why == Next::Cancelled;
    return out;
}

Result<Outcome> Loop::run() {
    QW_CHECK(setUp());
    while (!m_state.finished && m_state.step < m_total) {
        const CancelLevel level = m_job.cancel.level();
        if (level == CancelLevel::Now) return halted(Next::Cancelled);
        QW_CHECK(settle(level >= CancelLevel::StopAtStep));
        if (level == CancelLevel::StopWithCheckpoint && m_savedStep != m_state.step) QW_CHECK(save(true));
        if (level >= CancelLevel::StopAtStep) return halted(Next::Stop);
        takeSettings();
        QW_TRY(Next next, oneStep());
        if (next == Next::Go) {
            QW_TRY(next, boundary());
        }
        if (next == Next::Cancelled) return halted(next);
    }
    QW_TRY(const Next next, finish());
    if (next == Next::Cancelled) return halted(next);
    return outcome();
}

void Loop::switchFakeQuant() {
    if (!m_job.quantizer) return;
    const auto after = m_job.quantizer->plan().block.fakeQuantAfterSteps;
    const bool on = !after || m_state.step >= *after; // quantization.md 3.5: derived from the step, so a resume is exact
    if (after && m_state.step == *after) DivergenceWatch(m_job.recipe.watchdog, m_state.watchdog).restart();
    m_job.quantizer->setEnabled(on);
}

Result<Loop::Next> Loop::oneStep() {
    const int64_t startNs = monotonicNs();
    PhaseClock& clock = m_telemetry->clock();
    switchFakeQuant();
    StepData data;
    {
        const PhaseClock::Scope scope = clock.in(Phase::Data);
        if (startNs - m_lastDataCheckNs > 1'000'000'000) {
            m_lastDataCheckNs = startNs;
            QW_CHECK(m_job.trainData.checkUnchanged());
        }
        data = m_order.load(m_state.sample, m_state.skips, m_job.decoder.device(), m_state.fit.microBatch);
    }
    StepFacts facts;
    facts.lr = m_job.recipe.optim.lr * config::lrFactor(m_job.recipe.schedule, m_state.step, m_total) *
               (m_state.step < m_state.halvedUntil ? 0.5 : 1.0);
    if (data.labels == 0) {
        ++m_state.skippedSteps;
        notice("warning.empty_step", "step " + std::to_string(m_state.step) + " has no label to learn from; nothing was updated");
        facts.loss = std::nan("");
        return finishStep(data, facts, startNs);
    }
    QW_TRY(const StepLoss loss, gradients(data));
    if (loss.cancelled) return Next::Cancelled;
    facts.loss = loss.loss;
    {
        const PhaseClock::Scope scope = clock.in(Phase::Optimizer);
        const GradNorm norm = m_optimizer->norm();
        if (!norm.finite || !std::isfinite(loss.loss)) return nonfinite(data, loss.loss);
        const std::optional<double>& bound = m_job.recipe.optim.clipNorm;
        const double clip = clipCoefficient(bound, norm.norm);
        if (bound) facts.gradNorm = norm.norm;
        if (bound && !std::isinf(*bound)) facts.clip = clip;
        m_telemetry->beforeUpdate(m_state.step + 1);
        m_optimizer->update(m_state.updates, facts.lr, clip);
        m_optimizer->clearGradients();
        if (m_job.quantizer) m_job.quantizer->weightsChanged();
    }
    ++m_state.updates;
    m_state.nonfiniteRow = 0;
    m_state.lastLoss = loss.loss;
    m_telemetry->afterUpdate(m_state.step + 1);
    const Next next = finishStep(data, facts, startNs);
    if (const auto reason = DivergenceWatch(m_job.recipe.watchdog, m_state.watchdog).see(loss.loss))
        return Error{"train.diverged",
                     "step " + std::to_string(m_state.step) + ": " + *reason,
                     "lower optim.lr, clip harder, or warm up longer",
                     {},
                     false};
    return next;
}

Loop::Next Loop::finishStep(const StepData& data, StepFacts facts, int64_t startNs) {
    m_state.sample = data.next;
    m_state.tokens += data.tokens;
    m_state.labels += data.labels;
    facts.step = ++m_state.step;
    facts.epoch = m_order.epochs(m_state.sample);
    facts.tokens = data.tokens;
    facts.labels = data.labels;
    facts.totalNs = std::max<int64_t>(1, monotonicNs() - startNs);
    m_telemetry->stepDone(facts);
    if (m_job.onStep) m_job.onStep(m_state.step);
    progress();
    return Next::Go;
}

void Loop::progress() {
    const int64_t now = monotonicNs();
    if (m_state.step < m_total && now - m_lastProgressNs < 500'000'000) return;
    m_lastProgressNs = now;
    wire::Progress p;
    p.phase = "train";
    p.unit = "steps";
    p.done = m_state.step;
    p.total = m_total;
    const int64_t made = m_state.step - m_startStep;
    if (made > 0)
        p.etaSeconds = static_cast<double>(now - m_startNs) / 1e9 / static_cast<double>(made) * static_cast<double>(m_total - m_state.step);
    m_job.emit(std::move(p));
}

// Everything that happens between two steps, in this order: evaluation, early stop, checkpoint.
Result<Loop::Next> Loop::boundary() {
    const int64_t step = m_state.step;
    const bool last = step >= m_total;
    if (m_evalEvery > 0 && step % m_evalEvery == 0 && !evaluate()) return Next::Cancelled;
    const int64_t patience = m_job.recipe.earlyStopPatience;
    if (patience > 0 && m_state.evalsWithoutGain >= patience && m_state.lastEvalStep == step) {
        notice("train.early_stop", "the evaluation loss did not improve " + std::to_string(patience) +
                                       " times in a row; training ends at step " + std::to_string(step));
        m_state.finished = true;
    }
    bool wanted = m_checkpointEvery > 0 && step % m_checkpointEvery == 0;
    wanted = wanted || (step == 1 && m_job.recipe.checkpoint.atFirstStep);
    if (m_job.checkpointRequested && m_job.checkpointRequested->exchange(false)) wanted = true;
    if (wanted && !last && !m_state.finished) QW_CHECK(save(false)); // the last one is written by finish()
    return Next::Go;
}

// Cadences as they are asked for while it trains; every one holds for the steps behind this one.
void Loop::takeSettings() {
    if (!m_job.live) return;
    auto change = m_job.live->take(m_state.step);
    if (change) m_job.emit(*std::move(change));
    if (!m_job.live->changed()) return;
    const Cadences now = m_job.live->at(m_state.step);
    m_evalEvery = m_job.evalData ? config::resolveCadence(now.evalEvery, m_total) : 0;
    m_checkpointEvery = config::resolveCadence(now.checkpointEvery, m_total);
    m_telemetry->setCadences(now.logEvery, now.layerEvery);
}

Result<Loop::Next> Loop::finish() {
    QW_CHECK(settle(true));
    const bool again = m_state.finished && m_savedStep == m_state.step; // a finished run that was started once more
    if (!again) {
        if (m_job.evalData && m_state.lastEvalStep != m_state.step && !evaluate()) return Next::Cancelled;
        m_state.finished = true;
        const bool cadence = m_checkpointEvery > 0 && m_state.step % m_checkpointEvery == 0;
        if (m_job.recipe.checkpoint.atEnd || cadence) QW_CHECK(save(true));
    }
    if (m_job.quantizer) m_job.quantizer->setEnabled(true);
    if (m_loadBest) QW_CHECK(loadBest());
    m_optimizer->clearGradients();
    for (model::Parameter& parameter : m_job.decoder.parameters()) parameter.tensor.set_requires_grad(false);
    return Next::Go;
}

} // namespace qw::train
