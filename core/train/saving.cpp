// SPDX-License-Identifier: GPL-3.0-or-later
// What: when and how the loop's checkpoints get to the disk, and what happens when they do not (engine.md 5).
#include "base/memory.h"
#include "train/loop.h"

namespace qw::train {

StoredState Loop::stored() const { return {m_state, m_fixed, m_environment, m_job.configHash}; }

// The state that is about to be written says of itself that it is the best; forgotten when it does not get to the disk.
void Loop::claimBest() {
    m_claim = {m_state.bestSaved, m_state.bestSavedStep, false};
    m_claim.made =
        m_state.lastEvalStep == m_state.step && m_state.lastEval && (!m_state.bestSaved || *m_state.lastEval < *m_state.bestSaved);
    if (!m_claim.made) return;
    m_state.bestSaved = m_state.lastEval;
    m_state.bestSavedStep = m_state.step;
}

SaveTask Loop::saveTask(Snapshot snapshot) const {
    SaveTask task{std::move(snapshot), m_job.recipe.checkpoint.keep, std::nullopt, m_state.bestSavedStep};
    if (m_claim.made) task.best = m_state.bestSaved;
    return task;
}

// What became of a checkpoint: told, or kept in m_unsaved until a step boundary where something can be done about it.
void Loop::saw(int64_t step, const Result<uint64_t>& written) {
    if (!written) {
        if (m_claim.made) {
            m_state.bestSaved = m_claim.before;
            m_state.bestSavedStep = m_claim.beforeStep;
        }
        m_unsaved = Unsaved{step, written.error(), false};
        return;
    }
    m_savedStep = step;
    wire::CheckpointSaved event;
    event.step = step;
    event.bytes = static_cast<int64_t>(*written);
    event.path = "checkpoints/" + m_checkpoints.path(step).filename().string();
    event.best = m_claim.made;
    m_job.emit(std::move(event));
}

void Loop::collect(bool wait) {
    if (const auto done = m_writer.take(wait)) saw(done->step, done->written);
}

Status Loop::settle(bool wait) {
    collect(wait);
    if (!m_unsaved) return {};
    const Unsaved failed = *std::exchange(m_unsaved, std::nullopt);
    if (failed.beforePause && failed.error.code == "disk.full" && m_job.recipe.checkpoint.onDiskFull == "pause") {
        notice("disk.full", failed.error.message, {}, true);
        return saveNow();
    }
    QW_TRY(const bool again, unsaved(failed, false));
    return again ? saveNow() : Status{};
}

Status Loop::save(bool now) {
    QW_CHECK(settle(true)); // one at a time
    if (now || !m_job.recipe.checkpoint.async) return saveNow();
    const Snapshot buffers = m_writer.buffers();
    if (buffers.model.empty()) { // the first copy: without room for it training waits
        const uint64_t have = availableMemory();
        if (have > 0 && liveSnapshot(m_job, *m_optimizer, stored()).bytes() > have) return saveNow();
    }
    claimBest();
    m_writer.start(saveTask(copyOf(liveSnapshot(m_job, *m_optimizer, stored()), buffers)));
    return {};
}

Status Loop::saveNow() {
    for (;;) {
        claimBest();
        const int64_t step = m_state.step;
        saw(step, m_writer.save(saveTask(onHost(liveSnapshot(m_job, *m_optimizer, stored())))));
        if (!m_unsaved) return {};
        const Unsaved failed = *std::exchange(m_unsaved, std::nullopt);
        const bool needed = m_state.finished || m_job.cancel.level() == CancelLevel::StopWithCheckpoint;
        QW_TRY(const bool again, unsaved(failed, needed));
        if (!again) return {};
    }
}

// True: write one of the present step. needed: the run cannot go on or end well without this checkpoint.
Result<bool> Loop::unsaved(const Unsaved& failed, bool needed) {
    const Error& error = failed.error;
    if (error.code != "disk.full") {
        if (needed) return error;
        notice(error.code, "the checkpoint of step " + std::to_string(failed.step) + " was not written: " + error.message,
               "training goes on; the one before is still there", true);
        return false;
    }
    dropBallast(m_job.runDir);
    notice("disk.full", error.message, error.hint, true);
    const std::string& policy = m_job.recipe.checkpoint.onDiskFull;
    if (policy == "continue" && !m_state.finished) return false;
    if (policy != "pause") return error;
    QW_CHECK(waitForSpace(error));
    return !m_job.cancel.now();
}

// Paused until somebody resumes the run; a stop instead of that ends it with the error.
Status Loop::waitForSpace(const Error& error) {
    if (m_job.cancel.level() > CancelLevel::Pause) return error;
    m_job.cancel.raise(CancelLevel::Pause);
    (void)pollPause(m_job, {});
    const CancelLevel level = m_job.cancel.level();
    if (level == CancelLevel::StopAtStep || level == CancelLevel::StopWithCheckpoint) return error;
    if (level != CancelLevel::Now) placeBallast(m_job.runDir);
    return {};
}

} // namespace qw::train
