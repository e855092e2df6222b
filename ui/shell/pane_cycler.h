// SPDX-License-Identifier: GPL-3.0-or-later
// What: F6 and Shift+F6: the keyboard's way through list of pages, page and visible docks, in a ring.
#pragma once

#include <QMainWindow>

namespace qw::ui {

// The panes of the window at this moment: navigation, page, docks from left to right.
[[nodiscard]] QList<QWidget*> panesOf(QMainWindow& window);
void focusNextPane(QMainWindow& window, int direction); // +1 or -1

} // namespace qw::ui
