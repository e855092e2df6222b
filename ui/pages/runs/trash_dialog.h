// SPDX-License-Identifier: GPL-3.0-or-later
// What: empties Trash: lists every folder with its bytes, defaults to Cancel (ui.md 4.7).
#pragma once

#include "client/session.h"

#include <QDialog>

class QLabel;
class QPushButton;
class QTreeWidget;

namespace qw::ui {

class TrashDialog : public QDialog {
    Q_OBJECT
public:
    // objectName emptyTrashDialog. untilMs: what was put there later is left alone.
    TrashDialog(Session& session, int64_t untilMs, QWidget* parent = nullptr);

private:
    void fill(const std::vector<store::TrashedRun>& runs);
    void deleteAll();
    Session& m_session;
    QLabel* m_summary = nullptr;
    QTreeWidget* m_list = nullptr;
    QPushButton* m_delete = nullptr;
    std::vector<store::TrashedRun> m_runs;
};

} // namespace qw::ui
