// SPDX-License-Identifier: GPL-3.0-or-later
// What: the menu bar: which actions of the registry stand where. An action that no page has registered is left out.
#pragma once

#include "client/session.h"
#include "widgets/action_registry.h"

class QMainWindow;

namespace qw::ui {

void buildMenus(QMainWindow& window, ActionRegistry& actions);
// File > Recent; the page Start has the same list, with Locate and Remove. After buildMenus.
void addRecentMenu(QMainWindow& window, Session& session);

} // namespace qw::ui
