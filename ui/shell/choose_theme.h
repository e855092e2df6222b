// SPDX-License-Identifier: GPL-3.0-or-later
// What: the theme that the settings name.
#pragma once

#include "settings/settings.h"
#include "theme/theme.h"

namespace qw::ui {

inline void chooseTheme(const Settings& settings, Theme::Sheet sheet = Theme::Sheet::Now) {
    const QString word = settings.value(QStringLiteral("appearance/theme")).toString();
    Theme::instance().choose(word == QLatin1String("light")  ? Theme::Choice::Light
                             : word == QLatin1String("dark") ? Theme::Choice::Dark
                                                             : Theme::Choice::System,
                             sheet);
}

} // namespace qw::ui
