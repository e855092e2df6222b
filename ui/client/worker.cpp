// SPDX-License-Identifier: GPL-3.0-or-later
#include "client/worker.h"

#include <QHash>
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace qw::ui {

struct Worker::State {
    struct Job {
        QString tag;
        std::shared_ptr<CancelFlag> cancelled = std::make_shared<CancelFlag>(false);
        std::function<void(const CancelFlag&)> work;
        std::function<void()> deliver; // posts the answer
    };
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Job> waiting;
    std::shared_ptr<CancelFlag> running;
    bool stop = false;
    // Of the asking thread: the newest request of each tag, and how many answers are owed.
    QHash<QString, std::shared_ptr<CancelFlag>> newest;
    int owed = 0;
    std::thread thread;

    void loop() {
        for (;;) {
            std::unique_lock lock(mutex);
            wake.wait(lock, [this] { return stop || !waiting.empty(); });
            if (stop) return;
            Job job = std::move(waiting.front());
            waiting.pop_front();
            running = job.cancelled;
            lock.unlock();
            if (!*job.cancelled) job.work(*job.cancelled);
            job.deliver();
            lock.lock();
            running.reset();
        }
    }
};

Worker::Worker(QObject* parent) : QObject(parent), m_state(std::make_unique<State>()) {
    m_state->thread = std::thread([state = m_state.get()] { state->loop(); });
}

Worker::~Worker() {
    {
        const std::scoped_lock lock(m_state->mutex);
        m_state->stop = true;
        if (m_state->running) *m_state->running = true;
        m_state->waiting.clear();
    }
    m_state->wake.notify_all();
    m_state->thread.join();
}

void Worker::post(const QString& tag, std::function<void(const CancelFlag&)> work, QObject* context, std::function<void()> done) {
    State::Job job;
    job.tag = tag;
    job.work = std::move(work);
    const auto cancelled = job.cancelled;
    job.deliver = [this, tag, cancelled, guard = QPointer<QObject>(context), done = std::move(done)] {
        QMetaObject::invokeMethod(
            this,
            [this, tag, cancelled, guard, done] {
                --m_state->owed;
                if (m_state->newest.value(tag) == cancelled) m_state->newest.remove(tag);
                if (guard && !*cancelled) done();
            },
            Qt::QueuedConnection);
    };
    if (!tag.isEmpty()) {
        cancel(tag);
        m_state->newest.insert(tag, cancelled);
    }
    ++m_state->owed;
    {
        const std::scoped_lock lock(m_state->mutex);
        m_state->waiting.push_back(std::move(job));
    }
    m_state->wake.notify_one();
}

void Worker::cancel(const QString& tag) {
    if (const auto before = m_state->newest.take(tag)) *before = true;
}

bool Worker::isBusy() const { return m_state->owed > 0; }

} // namespace qw::ui
