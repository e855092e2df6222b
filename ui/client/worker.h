// SPDX-License-Identifier: GPL-3.0-or-later
// What: one thread that works through requests in order; the answer comes back on the thread of the one who asked.
// Why here: the GUI thread never waits for disk, SQLite or numbers (ui.md 1.2). A newer request with the same tag replaces a waiting one,
// tells a running one to give up, and only the newest answer is delivered; none is delivered to a dead context.
#pragma once

#include <QObject>
#include <QPointer>
#include <QString>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>

namespace qw::ui {

using CancelFlag = std::atomic<bool>;

class Worker : public QObject {
    Q_OBJECT
public:
    explicit Worker(QObject* parent = nullptr);
    ~Worker() override; // waiting requests are dropped, the running one is told to give up and awaited

    // work runs on the worker's thread and may look at the flag; done runs on this object's thread. An empty tag replaces nothing.
    template<class T>
    void request(const QString& tag, std::function<T(const CancelFlag&)> work, QObject* context, std::function<void(T)> done) {
        auto value = std::make_shared<std::optional<T>>();
        post(
            tag, [value, work = std::move(work)](const CancelFlag& cancelled) { value->emplace(work(cancelled)); }, context,
            [value, done = std::move(done)] {
                if (*value) done(std::move(**value));
            });
    }
    void cancel(const QString& tag);   // its answer will not be delivered
    [[nodiscard]] bool isBusy() const; // anything waiting, running or undelivered

private:
    struct State;
    void post(const QString& tag, std::function<void(const CancelFlag&)> work, QObject* context, std::function<void()> done);
    std::unique_ptr<State> m_state;
};

} // namespace qw::ui
