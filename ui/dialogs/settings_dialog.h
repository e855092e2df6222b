// SPDX-License-Identifier: GPL-3.0-or-later
// What: builds itself from the table of settings; changes apply at once, each changed setting has its Reset, a search narrows the list.
#pragma once

#include "settings/settings.h"
#include "widgets/action_registry.h"

#include <QDialog>

class QLineEdit;
class QListWidget;
class QStackedWidget;

namespace qw::ui {

class ShortcutEditor;

class SettingsDialog : public QDialog {
    Q_OBJECT
public:
    SettingsDialog(Settings& settings, ActionRegistry& actions, QWidget* parent = nullptr); // objectName settingsDialog

private:
    QWidget* buildPage(const QString& page);
    QWidget* buildEditor(const SettingInfo& info);
    void search(const QString& text);
    Settings& m_settings;
    QLineEdit* m_search = nullptr;
    QListWidget* m_pageList = nullptr;
    QStackedWidget* m_pages = nullptr;
    ShortcutEditor* m_shortcuts = nullptr;
};

} // namespace qw::ui
