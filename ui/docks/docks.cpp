// SPDX-License-Identifier: GPL-3.0-or-later
#include "docks/docks.h"

namespace qw::ui {

std::vector<QDockWidget*> makeDocks(Session& session, ActionRegistry& actions) {
    static_cast<void>(session);
    static_cast<void>(actions);
    return {};
}

} // namespace qw::ui
