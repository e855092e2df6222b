// SPDX-License-Identifier: GPL-3.0-or-later
// What: the one style sheet of the window, filled with a theme's tokens. Widgets opt in by the property "look".
#pragma once

#include "theme/theme.h"

namespace qw::ui {

// look: "card" (raised frame), "title", "muted", "primary" (the one button a page wants pressed), "mono".
[[nodiscard]] QString styleSheet(const ThemeTable& table);

} // namespace qw::ui
