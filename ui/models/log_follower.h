// SPDX-License-Identifier: GPL-3.0-or-later
// What: reads a run's events.qlog into log rows, from the start and then as it grows, on a thread of its own.
// Why here: the log on disk has everything, whether an engine listens or not; a hidden dock simply stops asking.
#pragma once

#include "client/worker.h"
#include "models/log_line.h"

#include <QObject>
#include <QTimer>
#include <memory>
#include <vector>

namespace qw::ui {

class LogFollower : public QObject {
    Q_OBJECT
public:
    explicit LogFollower(QObject* parent = nullptr);

    void follow(const QString& runDir); // empty: nothing; a run's rows come from the start
    void setActive(bool on);            // off: the place is kept, nothing is read

Q_SIGNALS:
    void started(); // another run: rows of the one before are old
    void rows(const std::vector<qw::ui::LogRow>& rows);

private:
    struct Place; // of the thread
    void readOn();
    QString m_dir;
    bool m_active = false, m_reading = false;
    std::shared_ptr<Place> m_place;
    QTimer m_timer;
    Worker m_worker;
};

} // namespace qw::ui
