// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialogs/past_exports.h"

#include "dialogs/parity_report.h"
#include "widgets/action_registry.h"
#include "widgets/table_copy.h"

#include <QDesktopServices>
#include <QHeaderView>
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

PastExports::~PastExports() { m_session.compute.cancel(QLatin1String(kCheck)); }

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
    for (int column = 0; column < PastExportsModel::Folder; ++column)
        m_exportList->header()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
    copyRowsWithCtrlC(m_exportList);
    m_parityReport = new ParityReport(this);
    m_openFolder = new QPushButton(tr("&Open folder"), this);
    m_openFolder->setToolTip(tr("Show the folder in the file manager"));
    m_openModel = new QPushButton(tr("Open as &model"), this);
    m_openModel->setToolTip(tr("Look at the written folder on the page Model"));
    m_checkAgain = new QPushButton(tr("Check &again"), this);
    m_checkAgain->setToolTip(tr("Read the folder now and hold every weight against the codes that it was made from"));
    m_said = new QLabel(this);
    m_said->setTextFormat(Qt::PlainText);
    m_said->setWordWrap(true);
    m_said->setProperty("look", QStringLiteral("muted"));
    const std::pair<QWidget*, const char*> names[] = {{m_exportList, "exportList"},
                                                      {m_openFolder, "openExportButton"},
                                                      {m_openModel, "openExportModelButton"},
                                                      {m_checkAgain, "checkExportButton"},
                                                      {m_said, "exportSaid"}};
    for (const auto& [widget, name] : names) widget->setObjectName(QString::fromLatin1(name));
    for (QPushButton* button : {m_openFolder, m_openModel, m_checkAgain}) button->setAutoDefault(false);

    auto* parts = new QSplitter(Qt::Vertical, this);
    parts->setChildrenCollapsible(false);
    parts->addWidget(m_exportList);
    parts->addWidget(m_parityReport);
    parts->setStretchFactor(0, 1);
    parts->setStretchFactor(1, 3);
    m_exportList->setMinimumHeight(fontMetrics().height() * 4);
    m_parityReport->setMinimumHeight(fontMetrics().height() * 8);
    auto* buttons = new QHBoxLayout;
    for (QPushButton* button : {m_openFolder, m_openModel, m_checkAgain}) buttons->addWidget(button);
    buttons->addStretch(1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, column->spacing(), 0, 0);
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
    if (uid != m_run) m_model->setExports({});
    m_run = uid;
    m_wanted = selectDir;
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
    const bool ahead = !m_wanted.isEmpty() && m_model->rowOf(m_wanted) < 0 && !changed; // the store does not know of it yet
    if (changed) {
        const PastExport* before = selected();
        const QString dir = !m_wanted.isEmpty() ? m_wanted : before ? before->dir : QString();
        m_model->setExports(std::move(found));
        if (m_model->rowCount() > 0) m_exportList->setCurrentIndex(m_model->index(std::max(0, m_model->rowOf(dir)), 0));
    }
    if (!ahead) showSelected();
    Q_EMIT counted();
}

void PastExports::showSheet(const QJsonObject& sheet) { m_parityReport->showSheet(sheet); }

void PastExports::showSelected() {
    const PastExport* one = selected();
    m_parityReport->showSheet(one ? one->sheet : QJsonObject());
    if (one) m_parityReport->setAccessibleDescription(sheetWord(*one));
    m_said->setVisible(one && one->missing);
    if (one && one->missing) m_said->setText(tr("The folder is gone: it was moved or deleted. Write it again on the other tab."));
    const QString why = !one ? tr("nothing has been exported from this run yet") : one->missing ? tr("the folder is gone") : QString();
    for (QPushButton* button : {m_openFolder, m_openModel}) setDisabledReason(button, why);
    setDisabledReason(m_checkAgain, m_checking ? tr("the folder is being read") : why);
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
        m_checking = false;
        if (sheet) m_model->replace(m_model->rowOf(dir), *sheet);
        showSelected();
        m_said->setVisible(!sheet);
        if (!sheet) m_said->setText(text(sheet.error().message));
    };
    m_session.project.query<ExportSources>(
        QStringLiteral("checkSources"), [uid = m_run](store::Store& store) { return exportSources(store, uid); }, this,
        [this, finish, past = *one](Result<ExportSources> sources) {
            if (!sources) return finish(sources.error(), past.dir);
            m_session.compute.request<Result<QJsonObject>>(
                QLatin1String(kCheck),
                [sources = *std::move(sources), past](const CancelFlag& cancelled) { return ui::checkAgain(sources, past, cancelled); },
                this, [finish, dir = past.dir](const Result<QJsonObject>& sheet) { finish(sheet, dir); });
        });
}

} // namespace qw::ui
