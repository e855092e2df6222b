// SPDX-License-Identifier: GPL-3.0-or-later
// What: Edit > Cut, Copy, Paste: on whatever had the keyboard last, text or selected rows or a chart.
// Limits: their keys are the widgets' own; the menu only shows them, so that no shortcut is claimed twice.
#pragma once

#include "widgets/action_registry.h"

#include <QPointer>

class QMainWindow;

namespace qw::ui {

class EditActions : public QObject {
    Q_OBJECT
public:
    EditActions(QMainWindow& window, ActionRegistry& actions);
    void update(); // the menu opens, or another widget has the keyboard

private:
    QAction* add(ActionRegistry& actions, const char* id, const QString& words, const QString& help, QKeySequence::StandardKey key);
    void send(QKeySequence::StandardKey key) const;
    [[nodiscard]] QString whyNot(QKeySequence::StandardKey key) const;

    QMainWindow& m_window;
    QPointer<QWidget> m_last; // of the window, menus aside
    QAction *m_cut, *m_copy, *m_paste;
};

} // namespace qw::ui
