// SPDX-License-Identifier: GPL-3.0-or-later
// What: pictures of every page in both themes, for the README and the tests; `qat-workbench --shots DIR`.
#pragma once

#include "shell/main_window.h"

#include <QTimer>
#include <functional>

namespace qw::ui {

class Shots : public QObject {
    Q_OBJECT
public:
    // Files are <page>-<light|dark>.png in dir. done(0) when all are written, done(7) when one could not be.
    Shots(Session& session, MainWindow& window, const QString& dir, std::function<void(int)> done);
    void start();

private:
    void openWork();
    void next();
    void takeWhenSettled();
    [[nodiscard]] bool settled() const;
    Session& m_session;
    MainWindow& m_window;
    QString m_dir;
    std::function<void(int)> m_done;
    QTimer m_poll;
    size_t m_index = 0; // page * 2 + theme
    int m_quiet = 0, m_waited = 0;
};

} // namespace qw::ui
