// SPDX-License-Identifier: GPL-3.0-or-later
// What: page Runs (ui.md 4.7): every run of the project in one table, its filter, Trash, and the details of the selected run.
#pragma once

#include "models/runs_model.h"
#include "pages/page.h"

class QLabel;
class QMenu;
class QPushButton;
class QSplitter;
class QTableView;
class QToolButton;

namespace qw::ui {

class FilterEdit;
class RunDetails;
class UndoBar;

class RunsPage : public Page {
    Q_OBJECT
public:
    RunsPage(Session& session, ActionRegistry& actions);
    void find() override;
    void saveViewState() override;
    [[nodiscard]] RunsModel& model() const { return *m_model; }

    [[nodiscard]] QStringList selectedRuns() const; // in the order of the table
    void selectRuns(const QStringList& uids);

private:
    QWidget* buildBar();
    QWidget* buildTable();
    void buildActions();
    void buildColumnMenu();
    void wire();
    void wireSelection();
    void restoreViewState();

    void refresh();     // a new snapshot
    void showCounts();  // label, Trash button, view state
    void showActions(); // what can be done with the selection, and why not
    void applyFilter();
    void edited(const QString& uid, int column, const QString& text);
    void trash();
    void restore();
    void emptyTrash(int64_t untilMs);
    void offerOldTrash();
    void showFiles(); // of the selected run
    void toggleCompared();
    void duplicate();
    void open();
    [[nodiscard]] QString current() const; // uid; empty: none
    [[nodiscard]] const RunRow* currentRow() const;
    void setTrashShown(bool shown);

    RunsModel* m_model = nullptr;
    FilterEdit* m_filter = nullptr;
    QTableView* m_table = nullptr;
    QLabel* m_counts = nullptr;
    QToolButton* m_columnsButton = nullptr;
    QPushButton* m_trashButton = nullptr;
    QPushButton* m_emptyTrashButton = nullptr;
    QPushButton* m_restoreButton = nullptr;
    QMenu* m_columnMenu = nullptr;
    QSplitter* m_splitter = nullptr;
    RunDetails* m_details = nullptr;
    UndoBar* m_undoBar = nullptr;
    QStringList m_keepSelected; // over a reset of the model
    QStringList m_wantSelected; // as soon as all of them are shown
    QString m_keepCurrent;
    QString m_trashOffered; // project whose old Trash was offered for deletion
    bool m_restoring = false;
};

} // namespace qw::ui
