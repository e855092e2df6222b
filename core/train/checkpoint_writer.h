// SPDX-License-Identifier: GPL-3.0-or-later
// What: writes checkpoints on a thread of its own while training goes on (engine.md 5, Async).
// Limits: one in flight; called from the job thread only; what became of a checkpoint is handed out once.
#pragma once

#include "train/checkpoints.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace qw::train {

struct SaveTask {
    Snapshot snapshot; // owns its tensors
    int64_t keep = 1;
    std::optional<double> best; // evaluation loss of the best checkpoint, when this is it
    int64_t bestStep = -1;
};

class CheckpointWriter {
public:
    struct Done {
        int64_t step = 0;
        bool best = false;
        Result<uint64_t> written;
    };
    // beforeVisible: WriteHooks::beforeVisible of every checkpoint; may be empty.
    explicit CheckpointWriter(const Checkpoints& checkpoints, std::function<Status()> beforeVisible = {})
        : m_checkpoints(checkpoints), m_hooks{&m_abandoned, std::move(beforeVisible)} {}
    ~CheckpointWriter(); // leaves a checkpoint that is being written; nothing of it stays visible
    CheckpointWriter(const CheckpointWriter&) = delete;
    CheckpointWriter& operator=(const CheckpointWriter&) = delete;

    void start(SaveTask task);           // wait() first
    std::optional<Done> take(bool wait); // what has ended since the last call; with wait: after what is in flight
    [[nodiscard]] Snapshot buffers() {
        return std::move(m_task.snapshot);
    } // of the last one, to be filled again; not while one is in flight
    // Write, best.json and pruning, as one: also what a checkpoint that the loop waits for does.
    [[nodiscard]] Result<uint64_t> save(const SaveTask& task) const;

private:
    void work();

    const Checkpoints& m_checkpoints;
    SaveTask m_task;
    std::optional<Done> m_done;
    bool m_waiting = false, m_busy = false, m_ending = false; // a task waits for the thread; until its Done is there
    std::atomic<bool> m_abandoned{false};
    const WriteHooks m_hooks;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::thread m_thread; // started with the first task
};

} // namespace qw::train
