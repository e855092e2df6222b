// SPDX-License-Identifier: GPL-3.0-or-later
// What: requests of a standard-input engine that take long: one thread works them off; each ends in a "result" event with its job number.
#pragma once

#include "base/cancel.h"
#include "engine/event_hub.h"
#include "engine/server.h"

#include <condition_variable>
#include <deque>
#include <thread>

namespace qw::engine {

class TaskQueue {
public:
    TaskQueue(EventHub& hub, CancelToken& cancel);
    ~TaskQueue() { stop(); }
    TaskQueue(const TaskQueue&) = delete;
    TaskQueue& operator=(const TaskQueue&) = delete;
    void offerTo(Server& server); // plan, logits, generate.start, export, bench, model.inspect
    void stop();                  // raises Now and waits for the task in work

private:
    struct Task {
        int64_t job = 0;
        std::string op, params;
    };
    void work();
    Result<std::string> run(const Task& task);

    EventHub& m_hub;
    CancelToken& m_cancel;
    std::mutex m_mutex;
    std::condition_variable m_ready;
    std::deque<Task> m_waiting;
    int64_t m_nextJob = 1;
    bool m_ending = false;
    std::thread m_thread;
};

} // namespace qw::engine
