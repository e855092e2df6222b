// SPDX-License-Identifier: GPL-3.0-or-later
// What: what the page Runs does with runs: rows from snapshots, filter, edits, Trash, comparison, duplicate.
#include "models/run_texts.h"
#include "pages/runs/run_details.h"
#include "pages/runs/run_recipe.h"
#include "pages/runs/runs_page.h"
#include "pages/runs/store_edit.h"
#include "pages/runs/trash_dialog.h"
#include "widgets/filter_edit.h"
#include "widgets/undo_bar.h"

#include <QDateTime>
#include <QItemSelectionModel>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QScrollBar>
#include <QTableView>

namespace qw::ui {

void RunsPage::refresh() {
    if (!session().project.isOpen()) {
        m_model->setRows(std::make_shared<std::vector<RunRow>>());
        setViewState(ViewState::Empty);
        return;
    }
    session().compute.request<RunRows>(
        QStringLiteral("runRows"),
        [snapshot = session().project.snapshot()](const CancelFlag&) { return runRows(*snapshot, QDateTime::currentMSecsSinceEpoch()); },
        this,
        [this](RunRows rows) {
            if (!session().project.isOpen()) return;
            m_model->setMarks(session().baseline(), session().compared());
            m_model->setRows(std::move(rows));
            const auto isShown = [&](const QString& uid) { return m_model->rowOf(uid) >= 0; };
            if (!m_wantSelected.isEmpty() && std::ranges::all_of(m_wantSelected, isShown)) selectRuns(std::exchange(m_wantSelected, {}));
            m_details->refresh();
            showCounts();
            showActions();
            offerOldTrash();
        });
}

void RunsPage::showCounts() {
    const SnapshotPtr snapshot = session().project.snapshot();
    const QLocale locale;
    const int shown = m_model->rowCount(), total = m_model->total();
    m_counts->setText(shown == total ? runsText(total) : tr("%1 of %2").arg(locale.toString(shown), locale.toString(total)));
    int trashed = 0, all = 0;
    if (snapshot)
        for (const RunFacts& run : snapshot->runs) ++(run.info.trashedMs > 0 ? trashed : all);
    m_trashButton->setText(trashed ? tr("Trash (%1)").arg(locale.toString(trashed)) : tr("Trash"));
    setDisabledReason(m_trashButton, trashed || m_trashButton->isChecked() ? QString() : tr("Trash is empty"));
    m_restoreButton->setVisible(m_model->isTrashShown());
    m_emptyTrashButton->setVisible(m_model->isTrashShown());
    setDisabledReason(m_emptyTrashButton, trashed ? QString() : tr("Trash is empty"));
    setViewState(all + trashed == 0 ? ViewState::Empty : ViewState::Ready);
    setBadge(all ? locale.toString(all) : QString());
}

void RunsPage::applyFilter() {
    const RunFilter filter(m_filter->text());
    std::vector<FilterMark> marks;
    for (const FilterTerm& term : filter.terms())
        if (!term.key.isEmpty()) marks.push_back({term.start, term.length, term.error});
    m_filter->setMarks(marks);
    m_model->setFilter(filter);
}

QStringList RunsPage::selectedRuns() const {
    QStringList uids;
    QModelIndexList rows = m_table->selectionModel()->selectedRows();
    std::ranges::sort(rows, {}, &QModelIndex::row);
    for (const QModelIndex& row : rows) uids << m_model->run(row.row()).uid;
    return uids;
}

void RunsPage::selectRuns(const QStringList& uids) {
    QItemSelection selection;
    int first = -1;
    for (const QString& uid : uids) {
        const int row = m_model->rowOf(uid);
        if (row < 0) continue;
        if (first < 0) first = row;
        selection.select(m_model->index(row, 0), m_model->index(row, RunsModel::ColumnCount - 1));
    }
    if (first < 0) return;
    const QModelIndex at = m_model->index(first, RunsModel::Name);
    m_table->selectionModel()->setCurrentIndex(at, QItemSelectionModel::NoUpdate);
    m_table->selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect);
    m_table->scrollTo(at);
}

QString RunsPage::current() const {
    const QModelIndex at = m_table->currentIndex();
    return at.isValid() && at.row() < m_model->rowCount() ? m_model->run(at.row()).uid : QString();
}

const RunRow* RunsPage::currentRow() const {
    const QModelIndex at = m_table->currentIndex();
    return at.isValid() && at.row() < m_model->rowCount() ? &m_model->run(at.row()) : nullptr;
}

void RunsPage::showActions() {
    const QString none = selectedRuns().isEmpty() ? tr("no run is selected") : QString();
    const SnapshotPtr snapshot = session().project.snapshot();
    const QString readOnly = snapshot && snapshot->readOnly ? tr("the project is open for reading only") : QString();
    const QString inTrash = m_model->isTrashShown() ? tr("the run is in Trash; restore it first") : QString();
    const auto say = [this](const char* id, std::initializer_list<QString> reasons) {
        QString why;
        for (const QString& reason : reasons)
            if (why.isEmpty()) why = reason;
        ActionRegistry::setDisabledReason(actions().find(QString::fromLatin1(id)), why);
    };
    say("run.open", {none, inTrash});
    say("compare.toggle", {none, inTrash});
    say("compare.baseline", {none, inTrash});
    say("compare.clear", {session().compared().isEmpty() && session().baseline().isEmpty() ? tr("the comparison is empty") : QString()});
    say("run.rename", {none, readOnly, inTrash});
    say("run.duplicate", {none});
    say("run.resumeFrom", {none, inTrash});
    const RunRow* row = currentRow();
    say("run.export", {none, inTrash, row && row->state != RunWord::Done ? tr("the run is not done") : QString()});
    say("run.trash", {none, readOnly, m_model->isTrashShown() ? tr("the run is in Trash already") : QString()});
    setDisabledReason(m_restoreButton, none.isEmpty() ? readOnly : none);
}

void RunsPage::edited(const QString& uid, int column, const QString& words) {
    const SnapshotPtr snapshot = session().project.snapshot();
    const RunFacts* run = snapshot ? snapshot->run(uid) : nullptr;
    if (!run) return;
    const auto before = run->info.identity;
    const std::string id = utf8(uid);
    if (column == RunsModel::Name) {
        session().undo.push(new StoreEdit(
            session(), tr("rename %1").arg(text(before.name)), [id, name = utf8(words)](store::Store& s) { return s.setName(id, name); },
            [id, name = before.name](store::Store& s) { return s.setName(id, name); }));
        return;
    }
    auto after = before;
    if (column == RunsModel::Notes) after.notes = utf8(words);
    if (column == RunsModel::Tags) {
        after.tags.clear();
        for (const QString& tag : RunsModel::readTags(words)) after.tags.push_back(utf8(tag));
    }
    const auto put = [id](const records::RunIdentity& fields) -> StoreEdit::Work {
        return [id, fields](store::Store& s) { return s.setUserFields(id, fields.notes, fields.tags, fields.colour); };
    };
    session().undo.push(new StoreEdit(
        session(), column == RunsModel::Tags ? tr("tags of %1").arg(text(before.name)) : tr("notes of %1").arg(text(before.name)),
        put(after), put(before)));
}

void RunsPage::trash() {
    QStringList uids;
    int live = 0;
    for (const QString& uid : selectedRuns()) {
        const int row = m_model->rowOf(uid);
        if (row >= 0 && isActive(m_model->run(row).state))
            ++live;
        else
            uids << uid;
    }
    if (live > 0)
        Q_EMIT session().notice(Error{"engine.busy", utf8(tr("Still at work and not moved to Trash: %1.").arg(runsText(live))),
                                      utf8(tr("Stop them first.")), "", false});
    if (uids.isEmpty()) return;
    const auto set = [uids](bool trashed) -> StoreEdit::Work {
        return [uids, trashed](store::Store& s) -> Status {
            for (const QString& uid : uids) QW_CHECK(s.setTrashed(utf8(uid), trashed));
            return {};
        };
    };
    // The row behind the last one is the next to look at.
    const int last = m_model->rowOf(uids.last());
    const QString next = last + 1 < m_model->rowCount() ? m_model->run(last + 1).uid : QString();
    const int scroll = m_table->verticalScrollBar()->value();
    auto* edit = new StoreEdit(session(), tr("move %1 to Trash").arg(runsText(static_cast<int>(uids.size()))), set(true), set(false),
                               [page = QPointer<RunsPage>(this), uids, next, scroll](bool undone) {
                                   if (!page) return;
                                   if (undone) {
                                       page->m_wantSelected = uids; // selected again as soon as they are back
                                       page->m_table->verticalScrollBar()->setValue(scroll);
                                   } else if (!next.isEmpty())
                                       page->m_wantSelected = {next};
                               });
    session().undo.push(edit);
    m_undoBar->offer(tr("%1 moved to Trash; the files stay until it is emptied.").arg(runsText(static_cast<int>(uids.size()))),
                     [this, edit, set] {
                         QUndoStack& stack = session().undo;
                         if (stack.index() > 0 && stack.command(stack.index() - 1) == edit)
                             stack.undo();
                         else
                             stack.push(new StoreEdit(session(), tr("restore"), set(false), set(true)));
                     });
}

void RunsPage::restore() {
    const QStringList uids = selectedRuns();
    if (uids.isEmpty()) return;
    const auto set = [uids](bool trashed) -> StoreEdit::Work {
        return [uids, trashed](store::Store& s) -> Status {
            for (const QString& uid : uids) QW_CHECK(s.setTrashed(utf8(uid), trashed));
            return {};
        };
    };
    session().undo.push(new StoreEdit(session(), tr("restore %1").arg(runsText(static_cast<int>(uids.size()))), set(false), set(true)));
}

void RunsPage::emptyTrash(int64_t untilMs) {
    auto* dialog = new TrashDialog(session(), untilMs, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

// Once for each project that is opened: what has been in Trash for long takes room that nobody will miss.
void RunsPage::offerOldTrash() {
    const SnapshotPtr snapshot = session().project.snapshot();
    if (!snapshot || snapshot->readOnly || m_trashOffered == snapshot->project || banner().isVisible()) return;
    m_trashOffered = snapshot->project;
    const int days = session().settings.value(QStringLiteral("storage/trashDays")).toInt();
    const int64_t until = QDateTime::currentMSecsSinceEpoch() - int64_t{days} * 24 * 60 * 60 * 1000;
    const auto old =
        std::ranges::count_if(snapshot->runs, [&](const RunFacts& run) { return run.info.trashedMs > 0 && run.info.trashedMs <= until; });
    if (old == 0) return;
    banner().show(Banner::Strength::Info,
                  Error{"trash.old",
                        utf8(tr("In Trash for more than %1 days: %2.").arg(QLocale().toString(days), runsText(static_cast<int>(old)))),
                        utf8(tr("Deleting them for good frees their files; it lists them first.")), "", false},
                  {{tr("Delete them…"),
                    [this, until] {
                        banner().dismiss();
                        emptyTrash(until);
                    },
                    {}},
                   {tr("Keep them"), [this] { banner().dismiss(); }, {}}});
}

void RunsPage::showFiles() { m_details->showFiles(); }

void RunsPage::setTrashShown(bool shown) {
    m_model->setTrashShown(shown);
    m_trashButton->setToolTip(shown ? tr("Back to the runs") : tr("Show the runs in Trash"));
    showCounts();
    showActions();
}

void RunsPage::toggleCompared() {
    const QStringList chosen = selectedRuns();
    QStringList compared = session().compared();
    const bool all = std::ranges::all_of(chosen, [&](const QString& uid) { return compared.contains(uid); });
    for (const QString& uid : chosen) {
        if (all)
            compared.removeAll(uid);
        else if (!compared.contains(uid))
            compared << uid;
    }
    session().setCompared(compared);
}

void RunsPage::duplicate() {
    const SnapshotPtr snapshot = session().project.snapshot();
    const RunFacts* run = snapshot ? snapshot->run(current()) : nullptr;
    if (!run) return;
    auto recipe = recipeOfRun(*run);
    if (!recipe) {
        Q_EMIT session().notice(recipe.error());
        return;
    }
    session().draft.replace(tr("duplicate %1").arg(text(run->info.identity.name)), *recipe);
    session().goTo(PageId::Train);
}

void RunsPage::open() {
    if (current().isEmpty() || m_model->isTrashShown()) return;
    session().showLive(current());
    session().goTo(PageId::Live);
}

} // namespace qw::ui
