// SPDX-License-Identifier: GPL-3.0-or-later
// What: the status bar: engine, device, queue, project, warnings; facts of the snapshot, in words.
#pragma once

#include "client/session.h"

#include <QStatusBar>

class QLabel;
class QPushButton;

namespace qw::ui {

class StatusLine : public QStatusBar {
    Q_OBJECT
public:
    explicit StatusLine(Session& session, QWidget* parent = nullptr);

Q_SIGNALS:
    void logWanted();

private:
    QLabel* label(const QString& name, const QString& what);
    void show(const Snapshot* snapshot);
    Session& m_session;
    QLabel* m_statusEngine = nullptr;
    QLabel* m_statusGpu = nullptr;
    QLabel* m_statusQueue = nullptr;
    QLabel* m_statusProject = nullptr;
    QPushButton* m_statusLogButton = nullptr;
    int m_warnings = 0;
};

} // namespace qw::ui
