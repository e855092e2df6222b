// SPDX-License-Identifier: GPL-3.0-or-later
// What: the opened model: its tensors as a tree, a summary, the numbers of one tensor, and what the current scheme could quantize.
// Limits: read from the files' headers; the engine is not needed. Weights are read only for the selected tensor.
#pragma once

#include "models/model_tree.h"
#include "models/tree_filter.h"
#include "pages/page.h"

class QLabel;
class QLineEdit;
class QSplitter;
class QTreeView;

namespace qw::ui {

class ModelTrouble;
class WeightMicroscope;

class ModelPage : public Page {
    Q_OBJECT
public:
    ModelPage(Session& session, ActionRegistry& actions);
    void find() override;
    void saveViewState() override;

protected:
    void showEvent(QShowEvent* event) override;

private:
    QWidget* buildTree();
    QWidget* buildFacts();
    void buildActions();
    void wire();
    void modelChanged();
    void showModel(const checkpoint::Inspection& model);
    void showSummary(const checkpoint::Inspection& model);
    void showProblem();
    void showCount();
    void askTokenizer();
    void judge(); // what the current scheme can do with each tensor; waits while the page is hidden
    void selected(const QModelIndex& index);
    void chooseFolder();
    ModelTree m_model;
    TreeFilter m_rows{ModelTree::FullNameRole, ModelTree::SortRole};
    QString m_shownFolder, m_tokenizer;
    bool m_judgeLater = false;
    QSplitter* m_splitter = nullptr;
    QLineEdit* m_filter = nullptr;
    QLabel* m_count = nullptr;
    QTreeView* m_tree = nullptr;
    QLabel* m_title = nullptr;
    QLabel* m_summary = nullptr;
    QLabel* m_notes = nullptr;
    WeightMicroscope* m_microscope = nullptr;
    ModelTrouble* m_trouble = nullptr;
};

} // namespace qw::ui
