// SPDX-License-Identifier: GPL-3.0-or-later
// What: a thread that follows one run: attached to its engine while there is one, else reading the run's log; every logged event once
// and in order.
// Why here: the engine merges what is too fast for a client (engine.md 2.4). A jump in seq or a merged event sends us to the log,
// which has everything, until it has caught up.
#pragma once

#include "client/engine_client.h"
#include "wire/events.h"

#include <QObject>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace qw::ui {

struct WatchNews {
    enum class Kind : uint8_t { Attached, Detached, Event };
    Kind kind = Kind::Event;
    QString why;       // of Detached
    wire::Event event; // of Event
};

class RunWatch {
public:
    // deliver is called on gui's thread, at most 30 times a second; never after the destructor began there.
    RunWatch(QObject* gui, const RunPlace& place, qint64 afterSeq, std::function<void(std::vector<WatchNews>)> deliver);
    ~RunWatch(); // joins: call stop() before and wait for ended() where that must not take its 100 ms
    RunWatch(const RunWatch&) = delete;
    RunWatch& operator=(const RunWatch&) = delete;

    void stop();
    [[nodiscard]] bool ended() const;

private:
    struct State;
    std::shared_ptr<State> m_state;
    std::thread m_thread;
};

} // namespace qw::ui
