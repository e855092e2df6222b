// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/checkpoint_writer.h"

#include <exception>
#include <pthread.h>

namespace qw::train {

CheckpointWriter::~CheckpointWriter() {
    if (!m_thread.joinable()) return;
    m_abandoned = true;
    {
        const std::lock_guard lock(m_mutex);
        m_ending = true;
    }
    m_changed.notify_all();
    m_thread.join();
}

void CheckpointWriter::start(SaveTask task) {
    {
        const std::lock_guard lock(m_mutex);
        m_task = std::move(task);
        m_waiting = m_busy = true;
    }
    if (!m_thread.joinable()) m_thread = std::thread([this] { work(); });
    m_changed.notify_all();
}

std::optional<CheckpointWriter::Done> CheckpointWriter::take(bool wait) {
    std::unique_lock lock(m_mutex);
    if (wait) m_changed.wait(lock, [this] { return !m_busy; });
    return std::exchange(m_done, std::nullopt);
}

Result<uint64_t> CheckpointWriter::save(const SaveTask& task) const {
    QW_TRY(const uint64_t bytes, m_checkpoints.write(task.snapshot, m_hooks));
    if (task.best) QW_CHECK(m_checkpoints.writeBest(task.snapshot.step, *task.best));
    m_checkpoints.prune(task.keep, task.bestStep);
    return bytes;
}

void CheckpointWriter::work() {
    ::pthread_setname_np(::pthread_self(), "checkpoint");
    std::unique_lock lock(m_mutex);
    for (;;) {
        m_changed.wait(lock, [this] { return m_ending || m_waiting; });
        if (m_ending) return;
        m_waiting = false;
        lock.unlock();
        Result<uint64_t> written = uint64_t{0};
        try {
            written = save(m_task);
        } catch (const std::exception& error) {
            written = Error{"engine.internal", std::string("the checkpoint writer failed: ") + error.what(), {}, {}, false};
        }
        lock.lock();
        m_done.emplace(Done{m_task.snapshot.step, m_task.best.has_value(), std::move(written)});
        m_busy = false;
        m_changed.notify_all();
    }
}

} // namespace qw::train
