// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/runs/run_files.h"

#include "models/exports.h"
#include "models/run_texts.h"
#include "models/run_ways.h"
#include "widgets/action_registry.h"

#include <QDialog>
#include <QDialogButtonBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QSpinBox>
#include <QTreeWidget>
#include <QVBoxLayout>
#include <algorithm>

namespace qw::ui {
namespace {

constexpr int kStepRole = Qt::UserRole, kMostSteps = 1'000'000'000, kUsualSteps = 100;

QString number(qint64 value) { return QLocale().toString(value); }

// "Export: GPTQ v1, ✓ verified"
QString exportText(const store::ArtifactInfo& artifact) {
    const auto one = pastExports({artifact});
    return RunFiles::tr("Export: %1, %2").arg(one.front().title, sheetWord(one.front()));
}

} // namespace

RunFiles::RunFiles(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    setObjectName(QStringLiteral("runFiles"));
    build();
    connect(m_list, &QTreeWidget::currentItemChanged, this, &RunFiles::showActions);
    connect(m_resumeButton, &QPushButton::clicked, this, &RunFiles::resume);
    connect(m_extendButton, &QPushButton::clicked, this, &RunFiles::extend);
}

void RunFiles::build() {
    m_list = new QTreeWidget(this);
    m_list->setObjectName(QStringLiteral("checkpointList"));
    m_list->setAccessibleName(tr("Checkpoints and written folders"));
    m_list->setToolTip(tr("A selected checkpoint is the one that Resume goes on from"));
    m_list->setHeaderLabels({tr("What"), tr("Step"), tr("Size"), tr("Folder")});
    m_list->setRootIsDecorated(false);
    m_list->setAlternatingRowColors(true);
    m_list->setTabKeyNavigation(false);
    m_resumeButton = new QPushButton(tr("Resume"), this);
    m_resumeButton->setObjectName(QStringLiteral("resumeButton"));
    m_resumeButton->setToolTip(tr("Continue this run from its newest checkpoint, or from the selected one"));
    m_extendSteps = new QSpinBox(this);
    m_extendSteps->setObjectName(QStringLiteral("extendSteps"));
    m_extendSteps->setAccessibleName(tr("More steps"));
    m_extendSteps->setToolTip(tr("How many steps the extended run gets on top"));
    m_extendSteps->setRange(1, kMostSteps);
    m_extendSteps->setValue(kUsualSteps);
    m_extendSteps->setSuffix(tr(" steps"));
    m_extendSteps->findChild<QLineEdit*>()->setAccessibleName(m_extendSteps->accessibleName());
    m_extendButton = new QPushButton(tr("Extend by"), this);
    m_extendButton->setObjectName(QStringLiteral("extendButton"));
    m_extendButton->setToolTip(tr("A new run goes on from the newest checkpoint; this one keeps its results"));
    m_exportsButton = new QPushButton(tr("Exports…"), this);
    m_exportsButton->setObjectName(QStringLiteral("exportsButton"));
    m_exportsButton->setToolTip(tr("Write this run for other programs; the sheets of its exports"));
    connect(m_exportsButton, &QPushButton::clicked, this, [this] { Q_EMIT m_session.exportWanted(m_uid); });
    auto* row = new QHBoxLayout;
    row->addWidget(m_resumeButton);
    row->addWidget(m_exportsButton);
    row->addStretch();
    row->addWidget(m_extendButton);
    row->addWidget(m_extendSteps);
    auto* column = new QVBoxLayout(this);
    column->addWidget(m_list, 1);
    column->addLayout(row);
}

void RunFiles::showRun(const QString& uid) {
    if (uid != m_uid) {
        m_list->clear();
        m_newest = -1;
    }
    m_uid = uid;
    showActions();
}

void RunFiles::showFiles(const std::vector<store::ArtifactInfo>& files) {
    const qint64 kept = chosenStep();
    m_list->clear();
    m_newest = -1;
    for (auto at = files.rbegin(); at != files.rend(); ++at) {
        const bool checkpoint = at->kind == "checkpoint", best = at->info.find("\"best\":true") != std::string::npos;
        const QString what = checkpoint             ? (best ? tr("Checkpoint (best)") : tr("Checkpoint"))
                             : at->kind.ends_with("native") ? tr("Quantized folder")
                             : at->kind == "export" ? exportText(*at)
                                                    : tr("Trained model");
        auto* item = new QTreeWidgetItem(
            m_list, {what, at->step >= 0 ? number(at->step) : QString(), sizeText(static_cast<double>(at->bytes)), text(at->path)});
        item->setToolTip(0, what);
        item->setToolTip(3, text(at->path));
        for (const int column : {1, 2}) item->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
        item->setData(0, kStepRole, checkpoint ? qlonglong(at->step) : qlonglong(-1));
        if (checkpoint) m_newest = std::max<qint64>(m_newest, at->step);
        if (checkpoint && at->step == kept) m_list->setCurrentItem(item);
    }
    for (int column = 0; column < 4; ++column) m_list->resizeColumnToContents(column);
    showActions();
}

const RunFacts* RunFiles::run() const {
    const auto snapshot = m_session.project.snapshot();
    return snapshot ? snapshot->run(m_uid) : nullptr;
}

qint64 RunFiles::chosenStep() const {
    const QTreeWidgetItem* item = m_list->currentItem();
    const qint64 step = item ? item->data(0, kStepRole).toLongLong() : -1;
    return step >= 0 && step < m_newest ? step : -1;
}

void RunFiles::showActions() {
    const RunFacts* facts = run();
    if (!facts) return;
    const auto snapshot = m_session.project.snapshot();
    const auto state = facts->info.state;
    const bool paused = state == records::RunState::Paused || state == records::RunState::Pausing;
    const qint64 step = paused ? -1 : chosenStep();
    m_resumeButton->setText(step >= 0                  ? tr("Resume from step %1…").arg(number(step))
                            : m_newest >= 0 && !paused ? tr("Resume from step %1").arg(number(m_newest))
                                                       : tr("Resume"));
    setDisabledReason(m_exportsButton, facts->hasWeights() ? QString() : tr("The run has written no weights"));
    setDisabledReason(m_resumeButton, whyNoResume(*snapshot, facts->info, state));
    QString noExtend = whyNoExtend(*snapshot, facts->info);
    if (noExtend.isEmpty() && m_newest < 0) noExtend = tr("No checkpoint of it is left to go on from");
    setDisabledReason(m_extendButton, noExtend);
    setDisabledReason(m_extendSteps, noExtend);
}

void RunFiles::focusFiles() { m_list->setFocus(Qt::ShortcutFocusReason); }

Reply RunFiles::told() {
    return [&session = m_session](const Result<QByteArray>& reply) {
        if (!reply) Q_EMIT session.notice(reply.error());
        session.project.refresh();
    };
}

void RunFiles::resume() {
    const RunFacts* facts = run();
    if (!facts) return;
    if (facts->info.state == records::RunState::Paused || facts->info.state == records::RunState::Pausing)
        m_session.engine.control(m_session.project.dir(), m_uid, Control::Resume, this, told());
    else if (const qint64 step = chosenStep(); step >= 0)
        askRewind(step);
    else
        goOn(-1);
}

void RunFiles::goOn(qint64 from) { resumeRun(m_session, m_uid, from, this, told()); }

// Steps are lost for good, so it asks.
void RunFiles::askRewind(qint64 step) {
    auto* dialog = new QDialog(this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setObjectName(QStringLiteral("rewindDialog"));
    dialog->setWindowTitle(tr("Resume from an earlier checkpoint"));
    auto* heading = new QLabel(tr("Go on from step %1?").arg(number(step)), dialog);
    heading->setProperty("look", QStringLiteral("title"));
    auto* what = new QLabel(
        tr("Newer checkpoints of this run are removed, and what was measured behind step %1 is measured anew. This cannot be taken back.")
            .arg(number(step)),
        dialog);
    what->setWordWrap(true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, dialog);
    QPushButton* rewind = buttons->addButton(tr("Go on from step %1").arg(number(step)), QDialogButtonBox::DestructiveRole);
    rewind->setObjectName(QStringLiteral("rewindButton"));
    rewind->setAutoDefault(false);
    buttons->button(QDialogButtonBox::Cancel)->setDefault(true);
    connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::reject);
    connect(rewind, &QPushButton::clicked, this, [this, dialog, step, uid = m_uid] {
        dialog->accept();
        if (uid == m_uid) goOn(step);
    });
    auto* column = new QVBoxLayout(dialog);
    column->addWidget(heading);
    column->addWidget(what);
    column->addWidget(buttons);
    dialog->resize(fontMetrics().averageCharWidth() * 70, dialog->sizeHint().height());
    dialog->open();
}

void RunFiles::extend() {
    extendRun(m_session, m_uid, m_extendSteps->value(), this, [this](const Result<QString>& made) {
        if (made)
            Q_EMIT extended(*made);
        else
            Q_EMIT m_session.notice(made.error());
    });
}

} // namespace qw::ui
