// SPDX-License-Identifier: GPL-3.0-or-later
// What: the docks of the window, in the order they stand.
// Properties: "area" = "bottom" for the lower edge, else the right one; "hiddenAtFirst".
#pragma once

#include "client/session.h"
#include "widgets/action_registry.h"

#include <vector>

class QDockWidget;

namespace qw::ui {

[[nodiscard]] std::vector<QDockWidget*> makeDocks(Session& session, ActionRegistry& actions); // owned by the caller

} // namespace qw::ui
