// SPDX-License-Identifier: GPL-3.0-or-later
// What: Ctrl+K: type a few letters, choose an action, Enter runs it. Disabled ones are listed with their reason.
#pragma once

#include "widgets/action_registry.h"

#include <QDialog>

class QLineEdit;
class QListView;
class QSortFilterProxyModel;
class QStandardItemModel;

namespace qw::ui {

class ActionFinder : public QDialog {
    Q_OBJECT
public:
    explicit ActionFinder(ActionRegistry& actions, QWidget* parent = nullptr); // objectName actionFinder
    void popUp();
    [[nodiscard]] QListView* list() const { return m_list; }

private:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void run();

    ActionRegistry& m_actions;
    QLineEdit* m_search = nullptr;
    QListView* m_list = nullptr;
    QStandardItemModel* m_items = nullptr;
    QSortFilterProxyModel* m_filter = nullptr;
};

} // namespace qw::ui
