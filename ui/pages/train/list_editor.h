// SPDX-License-Identifier: GPL-3.0-or-later
// What: a list of the recipe with its table, Add and Remove, and what is wrong with its rows below it.
#pragma once

#include "config/validate.h"
#include "pages/train/recipe_list.h"

#include <QWidget>

class QLabel;
class QPushButton;
class QTableView;

namespace qw::ui {

class ListEditor : public QWidget {
    Q_OBJECT
public:
    ListEditor(const RecipeList& list, const QString& title, RecipeDraft& draft, QWidget* parent = nullptr);
    int showFindings(const std::vector<config::Finding>& findings); // how many belong here

private:
    void build(const QString& title);
    void addFiles();
    void fit();
    const RecipeList& m_list;
    RecipeListModel* m_model = nullptr;
    QTableView* m_table = nullptr;
    QLabel* m_empty = nullptr;
    QLabel* m_note = nullptr;
    QPushButton* m_remove = nullptr;
};

} // namespace qw::ui
