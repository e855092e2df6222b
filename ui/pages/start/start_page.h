// SPDX-License-Identifier: GPL-3.0-or-later
// What: the first page: three ways in, and what was open last (ui.md 4.1).
#pragma once

#include "pages/page.h"

class QTreeView;

namespace qw::ui {

class RecentModel;

class StartPage : public Page {
    Q_OBJECT
public:
    StartPage(Session& session, ActionRegistry& actions);
    void saveViewState() override;

protected:
    void showEvent(QShowEvent* event) override;

private:
    void build();
    QWidget* buildRecent();
    void wire();
    void open(int row);
    void locate(int row);
    void updateButtons();
    RecentModel* m_recent = nullptr;
    QTreeView* m_recentList = nullptr;
    QPushButton* m_open = nullptr;
    QPushButton* m_locate = nullptr;
    QPushButton* m_remove = nullptr;
    QLabel* m_noRecent = nullptr;
};

} // namespace qw::ui
