// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/runs/trash_dialog.h"

#include "models/run_texts.h"
#include "widgets/action_registry.h"

#include <QDialogButtonBox>
#include <QHeaderView>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QTreeWidget>
#include <QVBoxLayout>

namespace qw::ui {

TrashDialog::TrashDialog(Session& session, int64_t untilMs, QWidget* parent) : QDialog(parent), m_session(session) {
    setObjectName(QStringLiteral("emptyTrashDialog"));
    setWindowTitle(tr("Empty Trash"));
    m_summary = new QLabel(tr("Measuring…"), this);
    m_summary->setWordWrap(true);
    m_list = new QTreeWidget(this);
    m_list->setObjectName(QStringLiteral("trashList"));
    m_list->setAccessibleName(tr("Folders in Trash"));
    m_list->setRootIsDecorated(false);
    m_list->setAlternatingRowColors(true);
    m_list->setHeaderLabels({tr("Run"), tr("Size"), tr("Folder")});
    m_list->setTabKeyNavigation(false);
    m_list->setTextElideMode(Qt::ElideMiddle);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    m_delete = buttons->addButton(tr("Delete for good"), QDialogButtonBox::DestructiveRole);
    m_delete->setObjectName(QStringLiteral("deleteForGoodButton"));
    m_delete->setAutoDefault(false);
    setDisabledReason(m_delete, tr("the folders are being measured"));
    buttons->button(QDialogButtonBox::Cancel)->setDefault(true);
    buttons->button(QDialogButtonBox::Cancel)->setFocus();
    auto* column = new QVBoxLayout(this);
    column->addWidget(m_summary);
    column->addWidget(m_list, 1);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_delete, &QPushButton::clicked, this, &TrashDialog::deleteAll);
    resize(fontMetrics().averageCharWidth() * 110, fontMetrics().height() * 22);
    session.project.query<std::vector<store::TrashedRun>>(
        QStringLiteral("trash"),
        [untilMs](store::Store& store) -> Result<std::vector<store::TrashedRun>> {
            QW_TRY(auto runs, store.trash());
            std::erase_if(runs, [&](const store::TrashedRun& run) { return run.trashedMs > untilMs; });
            return runs;
        },
        this,
        [this](Result<std::vector<store::TrashedRun>> runs) {
            if (runs)
                fill(*runs);
            else
                m_summary->setText(text(runs.error().message));
        });
}

void TrashDialog::fill(const std::vector<store::TrashedRun>& runs) {
    m_runs = runs;
    int64_t bytes = 0;
    for (const auto& run : runs) {
        auto* item = new QTreeWidgetItem(m_list, {text(run.name), sizeText(static_cast<double>(run.bytes)), text(run.dir.string())});
        item->setTextAlignment(1, Qt::AlignRight | Qt::AlignVCenter);
        item->setToolTip(2, text(run.dir.string()));
        bytes += run.bytes;
    }
    m_list->header()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_list->header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    m_summary->setText(tr("%1 with %2: deleted for good with checkpoints, models and curves. This cannot be taken back.")
                           .arg(runsText(static_cast<int>(runs.size())), sizeText(static_cast<double>(bytes))));
    setProperty("bytes", static_cast<qlonglong>(bytes));
    setDisabledReason(m_delete, runs.empty() ? tr("Trash is empty") : QString());
}

void TrashDialog::deleteAll() {
    m_session.project.change(
        [runs = m_runs](store::Store& store) -> Status {
            for (const auto& run : runs) QW_CHECK(store.deleteTrashed(run.uid));
            return {};
        },
        [&session = m_session](Status status) {
            session.undo.clear(); // steps may name runs that are gone
            if (!status) Q_EMIT session.notice(status.error());
        });
    accept();
}

} // namespace qw::ui
