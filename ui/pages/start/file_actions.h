// SPDX-License-Identifier: GPL-3.0-or-later
// What: the actions of the File menu that bring something in: file.newProject, file.openProject, file.openModel, file.sample,
// file.importRecipe. Menus, Start's cards and the finder use the same.
#pragma once

#include "client/session.h"
#include "widgets/action_registry.h"

namespace qw::ui {

void registerFileActions(Session& session, ActionRegistry& actions, QWidget* parentForDialogs);
// Opens the shipped model, its recipe and a project for it; copies nothing. A notice when the sample is not installed.
void openSample(Session& session);
[[nodiscard]] QString sampleProject(); // beside the default project, in the user's data folder

} // namespace qw::ui
