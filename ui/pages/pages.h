// SPDX-License-Identifier: GPL-3.0-or-later
// What: the pages of the window, in the order of work.
#pragma once

#include "pages/page.h"

#include <vector>

namespace qw::ui {

[[nodiscard]] std::vector<Page*> makePages(Session& session, ActionRegistry& actions); // owned by the caller

} // namespace qw::ui
