// SPDX-License-Identifier: GPL-3.0-or-later
// What: the layers of the model under the scheme: ticks and patterns take them in or leave them out, totals say what that costs.
#pragma once

#include "models/layer_tree.h"
#include "models/scheme_draft.h"
#include "models/scheme_preview.h"
#include "models/tree_filter.h"

#include <QWidget>
#include <set>

class QLabel;
class QLineEdit;
class QPushButton;
class QTreeView;

namespace qw::ui {

class OverridePanel : public QWidget {
    Q_OBJECT
public:
    OverridePanel(SchemeDraft& draft, SchemePreview& preview, QWidget* parent = nullptr);
    [[nodiscard]] QTreeView* tree() const { return m_tree; }
    [[nodiscard]] LayerTree& layers() { return m_layers; }
    void focusPattern();

Q_SIGNALS:
    void layerChosen(const QString& name); // a row was made current

private:
    QWidget* buildBar();
    QWidget* buildButtons();
    QPushButton* button(const QString& name, const QString& text, const QString& help);
    void wire();
    void showFacts();
    void showPattern();
    void showMatches();
    [[nodiscard]] std::vector<checkpoint::Matrix> matrices() const;
    [[nodiscard]] std::set<std::string> matching() const;
    [[nodiscard]] std::set<std::string> selected() const;
    void include(const std::set<std::string>& names, bool in);
    void addPattern(bool only);
    SchemeDraft& m_draft;
    SchemePreview& m_preview;
    LayerTree m_layers;
    TreeFilter m_rows{LayerTree::NameRole, LayerTree::SortRole};
    bool m_expanded = false;
    QLineEdit* m_pattern = nullptr;
    QLabel* m_matches = nullptr;
    QPushButton* m_without = nullptr;
    QPushButton* m_only = nullptr;
    QPushButton* m_in = nullptr;
    QPushButton* m_out = nullptr;
    QPushButton* m_reset = nullptr;
    QTreeView* m_tree = nullptr;
    QLabel* m_rules = nullptr;
    QLabel* m_totals = nullptr;
};

} // namespace qw::ui
