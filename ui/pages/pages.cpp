// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/pages.h"

namespace qw::ui {

std::vector<Page*> makePages(Session& session, ActionRegistry& actions) {
    static_cast<void>(session);
    static_cast<void>(actions);
    return {};
}

} // namespace qw::ui
