// SPDX-License-Identifier: GPL-3.0-or-later
// What: the list of pages on the left, in the order of work, with a badge for activity.
#pragma once

#include "pages/page.h"

#include <QListView>
#include <vector>

class QStandardItemModel;

namespace qw::ui {

class Navigation : public QListView {
    Q_OBJECT
public:
    explicit Navigation(const std::vector<Page*>& pages, QWidget* parent = nullptr); // objectName navList
    void select(PageId page);

Q_SIGNALS:
    void pageChosen(qw::ui::PageId page);

private:
    void fill();
    void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;
    std::vector<Page*> m_pages;
    QStandardItemModel* m_items = nullptr;
};

} // namespace qw::ui
