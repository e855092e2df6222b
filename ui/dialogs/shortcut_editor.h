// SPDX-License-Identifier: GPL-3.0-or-later
// What: every action with its key: changed in place, refused with the owner's name when it is taken, each with its way back.
#pragma once

#include "widgets/action_registry.h"

#include <QWidget>

class QKeySequenceEdit;
class QLabel;
class QTableWidget;

namespace qw::ui {

class ShortcutEditor : public QWidget {
    Q_OBJECT
public:
    explicit ShortcutEditor(ActionRegistry& actions, QWidget* parent = nullptr);
    void filter(const QString& text); // rows whose action or key has these words; empty: all

private:
    void addRow(int row, QAction* action);
    ActionRegistry& m_actions;
    QLabel* m_note = nullptr;
    QTableWidget* m_shortcutTable = nullptr;
};

} // namespace qw::ui
