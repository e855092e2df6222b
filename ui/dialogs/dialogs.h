// SPDX-License-Identifier: GPL-3.0-or-later
// What: the dialogs of the window, each behind one function; they show themselves without blocking.
#pragma once

#include "client/session.h"
#include "widgets/action_registry.h"

class QWidget;

namespace qw::ui {

void showSettings(Session& session, ActionRegistry& actions, QWidget* parent); // settingsDialog
void showShortcuts(ActionRegistry& actions, QWidget* parent);
void showGuide(const QString& topic, QWidget* parent);   // topic: a file of resources/guide without .md
void showAbout(Session& session, QWidget* parent);       // aboutDialog
[[nodiscard]] QString aboutText(const Session& session); // what aboutDialog says: versions and licences
// run: uid; empty: the dialog asks. exportDialog.
void showExport(Session& session, const QString& run, QWidget* parent);
void copyDiagnostics(Session& session, bool withPaths = false); // onto the clipboard

} // namespace qw::ui
