// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/status_line.h"

#include "widgets/activity_list.h"

#include <QDir>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QPushButton>

namespace qw::ui {
namespace {

constexpr int kShownAfterMs = 500; // ui.md 5, Progress

} // namespace

StatusLine::StatusLine(Session& session, QWidget* parent) : QStatusBar(parent), m_session(session) {
    setSizeGripEnabled(false);
    m_statusEngine = label(QStringLiteral("statusEngine"), tr("Engine"));
    m_statusGpu = label(QStringLiteral("statusGpu"), tr("Device"));
    m_statusQueue = label(QStringLiteral("statusQueue"), tr("Queue"));
    m_statusProject = label(QStringLiteral("statusProject"), tr("Project"));
    auto* work = new ActivityList(session.activities, kShownAfterMs, 1, this);
    work->setObjectName(QStringLiteral("statusProgress"));
    addPermanentWidget(work);
    m_statusLogButton = new QPushButton(this);
    m_statusLogButton->setObjectName(QStringLiteral("statusLogButton"));
    m_statusLogButton->setFlat(true);
    m_statusLogButton->setToolTip(tr("Show the log"));
    addPermanentWidget(m_statusLogButton);
    connect(m_statusLogButton, &QPushButton::clicked, this, [this] {
        m_warnings = 0;
        show(m_session.project.snapshot().get());
        Q_EMIT logWanted();
    });
    connect(&session.project, &Project::changed, this, [this] { show(m_session.project.snapshot().get()); });
    connect(&session.project, &Project::closed, this, [this] { show(nullptr); });
    connect(&session, &Session::notice, this, [this] {
        ++m_warnings;
        show(m_session.project.snapshot().get());
    });
    connect(&session.engine, &EngineClient::event, this, [this](const QString&, const wire::Event& event) {
        const auto* line = std::get_if<wire::LogLine>(&event.payload);
        if (!std::get_if<wire::Notice>(&event.payload) && !(line && line->level >= 2)) return;
        ++m_warnings;
        show(m_session.project.snapshot().get());
    });
    show(nullptr);
}

QLabel* StatusLine::label(const QString& name, const QString& what) {
    auto* made = new QLabel(this);
    made->setObjectName(name);
    made->setAccessibleName(what);
    made->setProperty("look", QStringLiteral("cell"));
    addWidget(made);
    return made;
}

void StatusLine::show(const Snapshot* snapshot) {
    m_statusLogButton->setText(m_warnings == 0 ? tr("Log") : tr("Log  %1 ⚠").arg(m_warnings));
    m_statusLogButton->setAccessibleName(m_warnings == 0   ? tr("Log")
                                         : m_warnings == 1 ? tr("Log, one warning")
                                                           : tr("Log, %1 warnings").arg(m_warnings));
    if (!snapshot) {
        m_statusEngine->setText(tr("Engine ○ idle"));
        m_statusGpu->clear();
        m_statusQueue->clear();
        m_statusProject->setText(tr("No project open"));
        return;
    }
    int running = 0, driven = 0;
    QString device;
    for (const RunFacts& run : snapshot->runs) {
        if (run.info.state == records::RunState::Running || run.info.state == records::RunState::Paused) ++running;
        const QString used =
            QJsonDocument::fromJson(QByteArray::fromStdString(run.info.env)).object().value(QLatin1String("device")).toString();
        if (!used.isEmpty()) device = used;
    }
    for (const StudyFacts& study : snapshot->studies)
        if (study.driven) ++driven;
    const bool paused = snapshot->flags.value(QStringLiteral("queue.paused")) == QLatin1String("1");
    m_statusEngine->setText(running > 0 ? tr("Engine ● working") : tr("Engine ○ idle"));
    m_statusGpu->setText(device.isEmpty() ? QString() : tr("Device %1").arg(device));
    QString queue = driven == 0   ? tr("Queue is empty")
                    : driven == 1 ? tr("1 study in the queue")
                                  : tr("%1 studies in the queue").arg(driven);
    if (paused) queue += tr(" (paused)");
    m_statusQueue->setText(queue);
    m_statusProject->setText(snapshot->readOnly ? tr("%1 (read-only)").arg(QDir(snapshot->project).dirName())
                                                : tr("Project %1").arg(QDir(snapshot->project).dirName()));
    m_statusProject->setToolTip(
        snapshot->notes.isEmpty() ? snapshot->project : snapshot->project + QLatin1Char('\n') + snapshot->notes.join(QLatin1Char('\n')));
}

} // namespace qw::ui
