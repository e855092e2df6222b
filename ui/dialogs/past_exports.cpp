// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialogs/past_exports.h"

#include "dialogs/parity_report.h"
#include "models/comparison.h"
#include "widgets/action_registry.h"
#include "widgets/table_copy.h"

#include <QDesktopServices>
#include <QHeaderView>
#include <QJsonDocument>
#include <QLabel>
#include <QPushButton>
#include <QSplitter>
#include <QTreeView>
#include <QUrl>
#include <QVBoxLayout>

namespace qw::ui {
namespace {
constexpr const char* kCheck = "exportCheck";
}

PastExports::PastExports(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    build();
    wire();
    showSelected();
}

PastExports::~PastExports() {
    m_session.activities.end(m_activity);
    m_session.compute.cancel(QLatin1String(kCheck));
}

void PastExports::build() {
    m_model = new PastExportsModel(this);
    m_exportList = new QTreeView(this);
    m_exportList->setModel(m_model);
    m_exportList->setRootIsDecorated(false);
    m_exportList->setUniformRowHeights(true);
    m_exportList->setAlternatingRowColors(true);
    m_exportList->setTabKeyNavigation(false);
    m_exportList->setAllColumnsShowFocus(true);
    m_exportList->setTextElideMode(Qt::ElideMiddle);
    m_exportList->setAccessibleName(tr("Exports of the run"));
    m_exportList->setColumnWidth(PastExportsModel::Format, fontMetrics().averageCharWidth() * 32); // the folder tells them apart
    for (int column = PastExportsModel::State; column < PastExportsModel::Folder; ++column)
        m_exportList->header()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
    copyRowsWithCtrlC(m_exportList);
    m_parityReport = new ParityReport(this);
    m_openFolder = new QPushButton(tr("&Open folder"), this);
    m_openFolder->setToolTip(tr("Show the folder in the file manager"));
    m_openModel = new QPushButton(tr("Open as &model"), this);
    m_openModel->setToolTip(tr("Look at the written folder on the page Model"));
    m_checkAgain = new QPushButton(tr("Check &again"), this);
    m_checkAgain->setToolTip(tr("Read the folder now and hold every weight against the codes that it was made from"));
    m_evaluate = new QPushButton(this);
    m_said = new QLabel(this);
    m_said->setTextFormat(Qt::PlainText);
    m_said->setWordWrap(true);
    m_said->setProperty("look", QStringLiteral("muted"));
    const std::pair<QWidget*, const char*> names[] = {{m_exportList, "exportList"},           {m_openFolder, "openExportButton"},
                                                      {m_openModel, "openExportModelButton"}, {m_checkAgain, "checkExportButton"},
                                                      {m_evaluate, "evaluateExportButton"},   {m_said, "exportSaid"}};
    for (const auto& [widget, name] : names) widget->setObjectName(QString::fromLatin1(name));
    for (QPushButton* button : {m_openFolder, m_openModel, m_checkAgain, m_evaluate}) button->setAutoDefault(false);

    m_none = new QLabel(tr("Nothing has been exported from this run yet.\nWhat is written is listed here, with the sheet that proves it."),
                        this);
    m_none->setObjectName(QStringLiteral("exportNone"));
    m_none->setProperty("look", QStringLiteral("muted"));
    m_none->setWordWrap(true);
    m_none->setAlignment(Qt::AlignCenter);
    auto* parts = new QSplitter(Qt::Vertical, this);
    m_parts = parts;
    parts->setChildrenCollapsible(false);
    parts->addWidget(m_exportList);
    parts->addWidget(m_parityReport);
    parts->setStretchFactor(0, 1);
    parts->setStretchFactor(1, 3);
    m_exportList->setMinimumHeight(fontMetrics().height() * 4);
    m_parityReport->setMinimumHeight(fontMetrics().height() * 8);
    auto* buttons = new QHBoxLayout;
    for (QPushButton* button : {m_openFolder, m_openModel, m_checkAgain}) buttons->addWidget(button);
    buttons->addWidget(m_evaluate);
    buttons->addStretch(1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, column->spacing(), 0, 0);
    column->addWidget(m_none, 1);
    column->addWidget(parts, 1);
    column->addWidget(m_said);
    column->addLayout(buttons);
    m_said->hide();
}

void PastExports::wire() {
    connect(m_exportList->selectionModel(), &QItemSelectionModel::currentRowChanged, this, &PastExports::showSelected);
    connect(m_openFolder, &QPushButton::clicked, this, &PastExports::openFolder);
    connect(m_checkAgain, &QPushButton::clicked, this, &PastExports::checkAgain);
    connect(&m_session.project, &Project::changed, this, &PastExports::refresh);
    connect(m_evaluate, &QPushButton::clicked, this, [this] {
        const PastExport* one = selected();
        const RunFacts* done = one ? evaluation(*one) : nullptr;
        if (done && done->info.state == records::RunState::Completed)
            compare();
        else
            evaluate();
    });
    connect(m_openModel, &QPushButton::clicked, this, [this] {
        const PastExport* one = selected();
        if (!one) return;
        const QString dir = one->dir;
        window()->close();
        m_session.openPath(dir);
    });
}

const PastExport* PastExports::selected() const { return m_model->at(m_exportList->currentIndex().row()); }

void PastExports::showRun(const QString& uid, const QString& selectDir) {
    const bool other = uid != m_run;
    m_run = uid;
    m_wanted = selectDir;
    if (other) {
        m_model->setExports({});
        showSelected();
    }
    refresh();
}

void PastExports::refresh() {
    m_session.project.query<std::vector<PastExport>>(
        QStringLiteral("pastExports"),
        [uid = m_run](store::Store& store) -> Result<std::vector<PastExport>> {
            if (uid.isEmpty()) return std::vector<PastExport>();
            QW_TRY(const auto artifacts, store.artifacts(utf8(uid)));
            return pastExports(artifacts);
        },
        this,
        [this](Result<std::vector<PastExport>> found) {
            if (found) take(*std::move(found));
        });
}

void PastExports::take(std::vector<PastExport> found) {
    const auto same = [](const PastExport& a, const PastExport& b) {
        return a.dir == b.dir && a.createdMs == b.createdMs && a.missing == b.missing;
    };
    bool changed = static_cast<int>(found.size()) != m_model->rowCount();
    for (int row = 0; !changed && row < m_model->rowCount(); ++row) changed = !same(found[static_cast<size_t>(row)], *m_model->at(row));
    if (changed) {
        const PastExport* before = selected();
        const QString dir = !m_wanted.isEmpty() ? m_wanted : before ? before->dir : QString();
        m_model->setExports(std::move(found));
        if (m_model->rowCount() > 0) m_exportList->setCurrentIndex(m_model->index(std::max(0, m_model->rowOf(dir)), 0));
        showSelected();
    }
    showEvaluation(selected());
    Q_EMIT counted();
}

void PastExports::showSheet(const QJsonObject& sheet) {
    m_parityReport->showSheet(sheet);
    showParts();
}

// Two empty tables would say nothing.
void PastExports::showParts() {
    const bool any = m_model->rowCount() > 0 || m_parityReport->topLevelItemCount() > 0;
    m_parts->setVisible(any);
    m_none->setVisible(!any);
}

void PastExports::showSelected() {
    const PastExport* one = selected();
    m_parityReport->showSheet(one ? one->sheet : QJsonObject(), one && one->missing);
    showParts();
    if (one) m_parityReport->setAccessibleDescription(sheetWord(*one));
    m_said->setVisible(one && one->missing);
    if (one && one->missing) m_said->setText(tr("The folder is gone: it was moved or deleted. Write it again on the other tab."));
    const QString why = !one ? tr("nothing has been exported from this run yet") : one->missing ? tr("the folder is gone") : QString();
    for (QPushButton* button : {m_openFolder, m_openModel}) setDisabledReason(button, why);
    showEvaluation(one);
    setDisabledReason(m_checkAgain, m_checking ? tr("the folder is being read") : why);
}

const RunFacts* PastExports::evaluation(const PastExport& one) const {
    const auto snapshot = m_session.project.snapshot();
    if (!snapshot) return nullptr;
    const RunFacts* newest = nullptr;
    for (const RunFacts& run : snapshot->runs) {
        const auto& id = run.info.identity;
        const bool ours = id.role == records::RowRole::Exported && text(id.parentUid) == m_run && text(id.modelPath) == one.dir;
        if (ours && run.info.trashedMs == 0 && id.createdMs > one.createdMs) newest = &run; // oldest first
    }
    return newest;
}

void PastExports::showEvaluation(const PastExport* one) {
    const auto snapshot = m_session.project.snapshot();
    const RunFacts* from = snapshot ? snapshot->run(m_run) : nullptr;
    const RunFacts* own = one ? evaluation(*one) : nullptr;
    const bool done = own && own->info.state == records::RunState::Completed;
    m_evaluate->setText(done ? tr("Show in &Compare") : tr("&Evaluate with the study's tasks"));
    m_evaluate->setToolTip(done ? tr("Its own row beside float, PTQ and QAT")
                                : tr("Measure this folder as the run was measured; it gets its own row in Compare"));
    const bool ended = own && (done || records::isEnded(own->info.state));
    setDisabledReason(m_evaluate, !one                            ? tr("nothing has been exported from this run yet")
                                  : one->missing && !done         ? tr("the folder is gone")
                                  : m_starting || (own && !ended) ? tr("the folder is being evaluated")
                                  : !done && (!from || from->results.empty())
                                      ? tr("the run was not evaluated itself, so there is nothing to hold it against")
                                      : QString());
}

// A run of its own, beside the study's; it waits for its turn and outlives the window.
void PastExports::evaluate() {
    const PastExport* one = selected();
    if (!one) return;
    m_starting = true;
    showEvaluation(one);
    const QStringList arguments{QStringLiteral("eval"),      one->dir,
                                QStringLiteral("--of"),      m_run,
                                QStringLiteral("--project"), m_session.project.dir(),
                                QStringLiteral("--detach"),  QStringLiteral("--json")};
    m_session.engine.command(arguments, this, {}, [this, of = m_run](const Result<QByteArray>& reply) {
        m_starting = false;
        const QString run = reply ? QJsonDocument::fromJson(*reply)[QLatin1String("run")].toString() : QString();
        QStringList compared = m_session.compared();
        if (!run.isEmpty() && compared.contains(of)) m_session.setCompared(compared << run);
        m_said->setText(reply ? tr("It is evaluated when it is its turn; its row then stands in Compare.") : text(reply.error().message));
        m_said->show();
        showEvaluation(selected());
        m_session.project.refresh();
    });
}

void PastExports::compare() {
    const PastExport* one = selected();
    const RunFacts* own = one ? evaluation(*one) : nullptr;
    const auto snapshot = m_session.project.snapshot();
    if (!own || !snapshot) return;
    const QString run = text(own->info.identity.uid);
    QStringList compared = m_session.compared();
    if (!compared.contains(m_run))
        for (const StudyChoice& choice : studyChoices(*snapshot)) {
            if (!choice.runs.contains(m_run)) continue;
            m_session.setBaseline({});
            compared = choice.runs;
            break;
        }
    for (const QString& uid : {m_run, run})
        if (!compared.contains(uid)) compared << uid;
    m_session.setCompared(compared);
    window()->close();
    m_session.goTo(PageId::Compare);
}

void PastExports::openFolder() {
    if (const PastExport* one = selected()) QDesktopServices::openUrl(QUrl::fromLocalFile(one->dir));
}

void PastExports::checkAgain() {
    const PastExport* one = selected();
    if (!one) return;
    m_checking = true;
    showSelected();
    m_said->setText(tr("Reading the folder and comparing every weight…"));
    m_said->show();
    const auto finish = [this](const Result<QJsonObject>& sheet, const QString& dir) {
        m_session.activities.end(m_activity);
        m_checking = false;
        if (sheet) m_model->replace(m_model->rowOf(dir), *sheet);
        showSelected();
        m_said->setVisible(!sheet);
        if (!sheet) m_said->setText(text(sheet.error().message));
    };
    m_activity = m_session.activities.begin(tr("Checking an export again"), [this, finish, dir = one->dir] {
        m_session.compute.cancel(QLatin1String(kCheck));
        finish(Error{"engine.cancelled", utf8(tr("Called off; the sheet stands as it was.")), "", "", true}, dir);
    });
    m_session.project.query<ExportSources>(
        QStringLiteral("checkSources"), [uid = m_run](store::Store& store) { return exportSources(store, uid); }, this,
        [this, finish, past = *one](Result<ExportSources> sources) {
            if (!m_checking) return; // called off meanwhile
            if (!sources) return finish(sources.error(), past.dir);
            m_session.compute.request<Result<QJsonObject>>(
                QLatin1String(kCheck),
                [sources = *std::move(sources), past](const CancelFlag& cancelled) { return ui::checkAgain(sources, past, cancelled); },
                this, [finish, dir = past.dir](const Result<QJsonObject>& sheet) { finish(sheet, dir); });
        });
}

} // namespace qw::ui
