// SPDX-License-Identifier: GPL-3.0-or-later
#include "docks/docks.h"

#include "docks/details_dock.h"
#include "docks/device_dock.h"
#include "docks/log_dock.h"
#include "docks/queue_dock.h"

namespace qw::ui {

std::vector<QDockWidget*> makeDocks(Session& session, ActionRegistry& actions) {
    // In the order they stand.
    return {
        new QueueDock(session, actions),
        new DetailsDock(session),
        new DeviceDock(session),
        new LogDock(session),
    };
}

} // namespace qw::ui
