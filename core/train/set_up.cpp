// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/build_info.h"
#include "base/clock.h"
#include "train/environment.h"
#include "train/loop.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <unistd.h>

namespace qw::train {

Loop::Loop(Job& job)
    : m_job(job), m_order(job.trainData, job.recipe), m_checkpoints(job.runDir / "checkpoints"), m_writer(m_checkpoints, job.syncLog) {}
Loop::~Loop() {
    if (!m_job.cancel.now()) collect(true); // a checkpoint that is being written is worth the wait, whatever ended the run
    dropBallast(m_job.runDir);
}

void Loop::notice(const std::string& code, const std::string& message, const std::string& hint, bool isError) const {
    wire::Notice n;
    n.isError = isError;
    n.code = code;
    n.message = message;
    n.hint = hint;
    m_job.emit(std::move(n));
}

Status Loop::checkRecipe() const {
    const records::Recipe& recipe = m_job.recipe;
    const bool fp32 = recipe.precision.mode == "fp32";
    if (!fp32 && recipe.precision.mode != "bf16_pure" && recipe.precision.mode != "bf16_master")
        return Error{
            "config.invalid", "precision.mode is \"" + recipe.precision.mode + "\"", "choose fp32, bf16_pure or bf16_master", {}, false};
    if (m_job.decoder.type() != (fp32 ? at::kFloat : at::kBFloat16))
        return Error{"engine.internal", "the model was not loaded in the type of precision.mode " + recipe.precision.mode, {}, {}, false};
    if (m_order.plan().stepsPerEpoch == 0)
        return Error{"data.empty",
                     "the training data has " + std::to_string(m_job.trainData.rows()) + " rows of " + std::to_string(recipe.data.seqLen) +
                         " tokens, one step needs " + std::to_string(recipe.train.microBatch) + " x " +
                         std::to_string(recipe.train.gradAccum),
                     "give more data, or lower train.micro_batch, train.grad_accum or data.seq_len",
                     {},
                     false};
    if (m_total <= 0)
        return Error{"config.invalid", "the recipe asks for no training step", "set train.max_steps or train.epochs", {}, false};
    if (m_job.quantizer) {
        const auto after = m_job.quantizer->plan().block.fakeQuantAfterSteps;
        if (after && *after >= m_total)
            return Error{"config.conflict",
                         "qat.fake_quant_after_n_steps is " + std::to_string(*after) + " but the run has " + std::to_string(m_total) +
                             " steps: no QAT step would run",
                         "lower it or train longer",
                         {},
                         false};
    }
    if (m_loadBest && (m_evalEvery == 0 || m_checkpointEvery == 0 || m_checkpointEvery % m_evalEvery != 0))
        return Error{"config.conflict",
                     "checkpoint.best.load_at_end needs eval.every, and checkpoint.every as a multiple of it",
                     "set eval.every and checkpoint.every accordingly",
                     {},
                     false};
    return {};
}

void Loop::warnAboutCadences() const {
    const auto warn = [this](const char* key, int64_t every) {
        if (every > m_total)
            notice("warning.cadence",
                   std::string(key) + " is " + std::to_string(every) + ", the run has " + std::to_string(m_total) +
                       " steps: it never fires",
                   "lower it");
    };
    if (m_job.evalData) warn("eval.every", m_evalEvery);
    if (m_checkpointEvery != 500) warn("checkpoint.every", m_checkpointEvery); // not when it is the default
}

Status Loop::setUp() {
    const records::Recipe& recipe = m_job.recipe;
    applyEnvironment(recipe, m_job.decoder.device());
    m_total = config::totalSteps(recipe, m_job.trainData.rows());
    m_evalEvery = m_job.evalData ? config::resolveCadence(recipe.eval.every, m_total) : 0;
    m_checkpointEvery = config::resolveCadence(recipe.checkpoint.every, m_total);
    m_loadBest = recipe.checkpoint.loadBestAtEnd && m_job.evalData;
    QW_CHECK(checkRecipe());
    m_job.decoder.setHook(m_job.quantizer);
    const auto readMaster = [this](const std::string& name, at::Tensor& master) {
        if (!m_job.start || m_job.start->dtype() == records::DType::BF16 || !m_job.start->find(name)) return false;
        at::Tensor wide = at::empty_like(master, master.options().device(at::kCPU));
        if (!m_job.start->readAs(name, records::DType::F32, wide.data_ptr())) return false;
        master.copy_(wide);
        return true;
    };
    QW_TRY(Optimizer optimizer, Optimizer::create(recipe.optim, recipe.precision, m_job.decoder.parameters(), readMaster));
    m_optimizer = std::make_unique<Optimizer>(std::move(optimizer));
    m_telemetry = std::make_unique<Telemetry>(m_job, *m_optimizer);
    m_environment = environmentFacts(recipe, m_job.decoder.device());
    m_fixed = fixedFacts(m_job, m_total, frozenDigest(m_job.decoder, m_optimizer->frozen()));
    QW_CHECK(m_checkpoints.prepare());
    QW_CHECK(resume());
    placeBallast(m_job.runDir);
    warnAboutCadences();
    m_startNs = monotonicNs();
    m_startStep = m_state.step;
    return {};
}

void Loop::tellAttempt(bool bitwise) {
    wire::Attempt attempt;
    attempt.attempt = m_job.attempt;
    attempt.host = hostName();
    attempt.device = m_job.decoder.device().str();
    attempt.libtorch = libtorchVersion();
    attempt.buildId = std::string(buildId());
    attempt.pid = ::getpid();
    attempt.fromStep = m_state.step == 0 ? 0 : m_state.step + 1; // what the checkpoint holds was measured before it was written
    attempt.threads = at::get_num_threads();
    attempt.bitwise = bitwise;
    m_job.emit(std::move(attempt));
}

Status Loop::loadFrom(const Loaded& loaded, const StoredState& stored) {
    QW_CHECK(checkResume(stored.fixed, m_fixed, m_job));
    QW_CHECK(restoreTensors(loaded, *m_optimizer, m_job.recipe.checkpoint.weightsOnly));
    m_state = stored.state;
    const auto before = stored.fixed.find("train.max_steps");
    const bool byCount = before != stored.fixed.end() && before->second == std::to_string(m_state.step);
    if (byCount && m_state.step < m_total) m_state.finished = false; // more steps were asked for
    m_savedStep = m_state.step;
    if (m_job.quantizer) {
        m_job.quantizer->weightsChanged();
        QW_CHECK(restoreTelemetry(loaded, *m_job.quantizer));
    }
    return {};
}

Status Loop::resume() {
    std::vector<Rejected> rejected;
    const std::optional<Loaded> loaded = m_checkpoints.newest(rejected);
    for (const Rejected& bad : rejected)
        notice("file.corrupt", bad.error.message + "; this checkpoint is left out",
               loaded ? "the run goes on from an older one" : "the run starts again");
    bool bitwise = true;
    if (loaded) {
        QW_TRY(const StoredState stored, parseState(loaded->stateJson));
        if (m_job.recipe.checkpoint.weightsOnly && !stored.state.finished) {
            notice("warning.not_resumable", "the checkpoints hold weights only, so the run starts again",
                   "set checkpoint.weights_only: false");
        } else {
            QW_CHECK(loadFrom(*loaded, stored));
            bitwise = stored.environment == m_environment;
        }
    }
    tellAttempt(bitwise);
    return {};
}

} // namespace qw::train
