// SPDX-License-Identifier: GPL-3.0-or-later
// What: the actions on the run that is shown live: run.pause, run.resume, run.stop, run.checkpoint, tools.engine.*; each says why it
// cannot.
#pragma once

#include "models/live_run.h"
#include "widgets/action_registry.h"

#include <QObject>
#include <QPointer>

class QDialog;

namespace qw::ui {

class RunActions : public QObject {
    Q_OBJECT
public:
    // window: parent of the question that Stop asks.
    RunActions(Session& session, ActionRegistry& actions, LiveRun& run, QWidget* window);

    void resume();                             // paused: goes on; ended: its study, or itself, is continued
    [[nodiscard]] QString whyNoResume() const; // empty: it can be resumed
    void attach();                             // reads the run anew and watches its engine again
    void restart();                            // its engine ends after a checkpoint, then the run goes on with a new one
    void askStop();                            // `stopDialog` with its three choices
    void update();

Q_SIGNALS:
    void failed(const qw::Error& error);
    void resuming(); // an ended run is being started again

private:
    void control(Control what, const QString& pending);
    Session& m_session;
    LiveRun& m_run;
    QWidget* m_window;
    QAction *m_pause, *m_resume, *m_stop, *m_checkpoint, *m_attach, *m_restart;
    bool m_restarting = false;
    QPointer<QDialog> m_dialog;
    QString m_pending; // what was asked for and is not answered yet
};

} // namespace qw::ui
