// SPDX-License-Identifier: GPL-3.0-or-later
// What: a list inside the recipe (training text, evaluation text, tasks, exports) as an editable table; every edit is an undo step of the
// draft.
#pragma once

#include "client/recipe_draft.h"

#include <QAbstractTableModel>
#include <functional>
#include <vector>

namespace qw::ui {

struct RecipeColumn {
    QString title, help;
    QStringList choices; // empty: free text
    std::function<QVariant(const records::Recipe&, size_t row)> get;
    std::function<void(records::Recipe&, size_t row, const QVariant&)> set;
    bool isPath = false;
    std::function<QStringList(const records::Recipe&)> choicesOf = {}; // in place of choices, where they depend on the recipe
    std::function<QString(const QString& choice)> words = {};          // a choice as it is shown; empty: as it is written
};

struct RecipeList {
    QString name;   // objectName of its table: "dataset"
    QString key;    // "data.train", as findings name it
    QString what;   // "training text", for undo and tooltips
    QString empty;  // shown while it is empty
    QString filter; // of the file dialog; empty: rows are no files, Add makes one at once
    std::function<size_t(const records::Recipe&)> count;
    std::function<void(records::Recipe&, const QString& path)> append;
    std::function<void(records::Recipe&, size_t row)> remove;
    std::vector<RecipeColumn> columns;
};
[[nodiscard]] const RecipeList& trainingText();
[[nodiscard]] const RecipeList& evaluationText();
[[nodiscard]] const RecipeList& evaluationTasks();
[[nodiscard]] const RecipeList& exportList();

class RecipeListModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role : int { ChoicesRole = Qt::UserRole, ChoiceWordsRole }; // as they are written, as they are shown
    RecipeListModel(const RecipeList& list, RecipeDraft& draft, QObject* parent = nullptr);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;
    void append(const QString& path);
    void remove(int row);

private:
    void follow();
    const RecipeList& m_list;
    RecipeDraft& m_draft;
    int m_rows = 0; // that the view knows of
};

} // namespace qw::ui
