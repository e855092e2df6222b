// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/live/run_actions.h"

#include "models/run_ways.h"
#include "theme/theme.h"

#include <QDialog>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QVBoxLayout>

namespace qw::ui {

using records::RunState;

RunActions::RunActions(Session& session, ActionRegistry& actions, LiveRun& run, QWidget* window)
    : QObject(window), m_session(session), m_run(run), m_window(window) {
    m_pause = actions.add(
        {QStringLiteral("run.pause"), tr("&Pause"), QStringLiteral("pause"), tr("Pause after the step in work; memory is kept"), {}}, this,
        [this] { control(Control::Pause, tr("pausing")); });
    m_resume = actions.add({QStringLiteral("run.resume"),
                            tr("&Resume"),
                            QStringLiteral("resume"),
                            tr("Go on with the run, from its last checkpoint where it had ended"),
                            {}},
                           this, [this] { resume(); });
    m_checkpoint = actions.add({QStringLiteral("run.checkpoint"),
                                tr("Save &checkpoint now"),
                                QStringLiteral("save"),
                                tr("Write a checkpoint after the step in work and go on"),
                                {}},
                               this, [this] { control(Control::Checkpoint, tr("saving a checkpoint")); });
    m_stop = actions.add({QStringLiteral("run.stop"),
                          tr("&Stop…"),
                          QStringLiteral("stop"),
                          tr("Stop the run: with a checkpoint or without"),
                          {QKeySequence(Qt::SHIFT | Qt::Key_F5)}},
                         this, [this] { askStop(); });
    m_attach = actions.add({QStringLiteral("tools.engine.attach"),
                            tr("&Attach again"),
                            QStringLiteral("link"),
                            tr("Read the shown run anew and look for its engine"),
                            {}},
                           this, [this] { attach(); });
    m_restart = actions.add({QStringLiteral("tools.engine.restart"),
                             tr("&Restart"),
                             QStringLiteral("refresh"),
                             tr("End the shown run's engine after a checkpoint and go on from there with a new one"),
                             {}},
                            this, [this] { restart(); });
    connect(&run, &LiveRun::statusChanged, this, &RunActions::update);
    connect(&run, &LiveRun::shownChanged, this, [this] {
        m_restarting = false;
        update();
    });
    connect(&session.project, &Project::changed, this, &RunActions::update);
    update();
}

QString RunActions::whyNoResume() const {
    const store::RunInfo* info = m_run.info();
    const auto snapshot = m_session.project.snapshot();
    return info && snapshot ? ui::whyNoResume(*snapshot, *info, m_run.status().state) : tr("No run is shown");
}

void RunActions::update() {
    const RunState state = m_run.status().state;
    const bool shown = m_run.info() != nullptr;
    const QString none = tr("No run is shown");
    const QString ended = tr("No engine works on this run");
    const bool working = shown && !records::isEnded(state) && state != RunState::Created && state != RunState::Queued;
    const auto reason = [&](bool fits, const QString& why) { return !shown ? none : !working ? ended : fits ? QString() : why; };
    ActionRegistry::setDisabledReason(
        m_pause, reason(state == RunState::Running, tr("The run is %1").arg(QLatin1String(records::stateName(state)))));
    ActionRegistry::setDisabledReason(m_resume, whyNoResume());
    ActionRegistry::setDisabledReason(m_stop, reason(state != RunState::Stopping, tr("The run is stopping")));
    const bool trains = m_run.status().phase == QLatin1String("train");
    ActionRegistry::setDisabledReason(m_checkpoint, reason(trains, tr("There is a checkpoint to save only while it trains")));
    ActionRegistry::setDisabledReason(m_attach, shown ? QString() : none);
    const bool alive = working && state != RunState::Stopping;
    ActionRegistry::setDisabledReason(m_restart, m_restarting ? tr("The engine is ending; a new one follows")
                                                 : alive      ? QString()
                                                              : whyNoResume());
    if (m_restarting && shown && records::isEnded(state) && whyNoResume().isEmpty()) {
        m_restarting = false;
        resume();
    }
}

void RunActions::control(Control what, const QString& pending) {
    m_pending = pending;
    m_session.engine.control(m_session.project.dir(), m_run.uid(), what, this, [this](const Result<QByteArray>& answer) {
        m_pending.clear();
        if (!answer) {
            m_restarting = false;
            Q_EMIT failed(answer.error());
        }
        m_session.project.refresh();
    });
}

void RunActions::resume() {
    const RunState state = m_run.status().state;
    if (!whyNoResume().isEmpty()) return;
    if (!records::isEnded(state)) {
        control(Control::Resume, tr("resuming"));
        return;
    }
    Q_EMIT resuming();
    resumeRun(m_session, m_run.uid(), -1, this, [this](const Result<QByteArray>& answer) {
        if (!answer) Q_EMIT failed(answer.error());
        m_session.project.refresh();
    });
}

void RunActions::attach() {
    const QString uid = m_run.uid();
    if (uid.isEmpty()) return;
    m_run.show({});
    m_run.show(uid);
}

// The rest follows when the run has ended: see update().
void RunActions::restart() {
    if (!m_run.info()) return;
    const RunState state = m_run.status().state;
    if (records::isEnded(state) || state == RunState::Created || state == RunState::Queued) return resume();
    m_restarting = true;
    control(Control::Stop, tr("restarting"));
    update();
}

void RunActions::askStop() {
    if (m_dialog) {
        m_dialog->raise();
        return;
    }
    auto* dialog = new QDialog(m_window);
    m_dialog = dialog;
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setObjectName(QStringLiteral("stopDialog"));
    dialog->setWindowTitle(tr("Stop the run"));
    const bool trains = m_run.status().phase == QLatin1String("train");
    const int64_t step = m_run.status().step, saved = m_run.lastCheckpoint();
    auto* heading =
        new QLabel(trains ? tr("Stop at step %1?").arg(QLocale().toString(static_cast<qlonglong>(step))) : tr("Stop the run?"), dialog);
    heading->setProperty("look", QStringLiteral("title"));
    const QString lost = saved >= 0 ? tr("Without a checkpoint the steps behind %1 are lost; Resume would go on from there.")
                                          .arg(QLocale().toString(static_cast<qlonglong>(saved)))
                                    : tr("Without a checkpoint everything trained so far is lost.");
    auto* what = new QLabel(trains ? lost : tr("What this phase has done so far is lost; Resume begins the phase again."), dialog);
    what->setWordWrap(true);
    auto* study = new QLabel(tr("Its study stops with it; Resume continues both."), dialog);
    study->setProperty("look", QStringLiteral("muted"));
    study->setVisible(m_run.info() && !m_run.info()->identity.studyUid.empty());
    const auto button = [&](const char* name, const QString& label) {
        auto* made = new QPushButton(label, dialog);
        made->setObjectName(QLatin1String(name));
        made->setAutoDefault(false);
        return made;
    };
    auto* save = button("stopSaveButton", tr("Stop and &save checkpoint"));
    save->setVisible(trains);
    auto* discard = button("stopDiscardButton", trains ? tr("Stop and &discard") : tr("&Stop"));
    auto* keep = button("keepTrainingButton", trains ? tr("&Keep training") : tr("&Keep running"));
    keep->setProperty("look", QStringLiteral("primary"));
    keep->setDefault(true);
    connect(save, &QPushButton::clicked, dialog, [this, dialog] {
        control(Control::Stop, tr("stopping"));
        dialog->close();
    });
    connect(discard, &QPushButton::clicked, dialog, [this, dialog] {
        control(Control::StopNow, tr("stopping"));
        dialog->close();
    });
    connect(keep, &QPushButton::clicked, dialog, &QDialog::close);
    connect(&m_run, &LiveRun::shownChanged, dialog, &QDialog::close);
    auto* buttons = new QHBoxLayout;
    buttons->addStretch();
    for (QPushButton* one : {discard, save, keep}) buttons->addWidget(one);
    auto* column = new QVBoxLayout(dialog);
    for (QWidget* widget : {static_cast<QWidget*>(heading), static_cast<QWidget*>(what), static_cast<QWidget*>(study)})
        column->addWidget(widget);
    column->addSpacing(dialog->fontMetrics().height() / 2);
    column->addLayout(buttons);
    keep->setFocus();
    dialog->open();
}

} // namespace qw::ui
