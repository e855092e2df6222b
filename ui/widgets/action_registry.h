// SPDX-License-Identifier: GPL-3.0-or-later
// What: every action of the window by id: text, icon, default key, help. Menus, buttons, the finder and the list of shortcuts read it.
// Why here: nothing is reachable only by a right click, and no two actions share a key (ui.md 2).
#pragma once

#include <QAction>
#include <QHash>
#include <QKeySequence>
#include <QObject>
#include <QString>
#include <functional>
#include <vector>

namespace qw::ui {

class Settings;

class ActionRegistry : public QObject {
    Q_OBJECT
public:
    explicit ActionRegistry(Settings& settings, QObject* parent = nullptr);

    struct Spec {
        QString id, text, icon, help; // id: "run.pause"; help: one sentence, the tooltip
        QList<QKeySequence> keys;
        bool checkable = false;
    };
    // The action belongs to the registry; a second one with the same id, or with a key that is taken, is a programming error.
    QAction* add(const Spec& spec, QObject* context, std::function<void()> run);
    [[nodiscard]] QAction* find(const QString& id) const; // null: none
    [[nodiscard]] const std::vector<QAction*>& all() const { return m_actions; }
    // Disabled with a reason, or enabled when the reason is empty (ui.md 1.3).
    static void setDisabledReason(QAction* action, const QString& reason);

    // The user's own key; kept in the settings. Refused when another action has it: that action's text is returned.
    QString setKeys(const QString& id, const QList<QKeySequence>& keys);
    [[nodiscard]] QList<QKeySequence> defaultKeys(const QString& id) const { return m_defaults.value(id); }

private:
    void describe(QAction* action) const;
    Settings& m_settings;
    std::vector<QAction*> m_actions;
    QHash<QString, QAction*> m_byId;
    QHash<QString, QList<QKeySequence>> m_defaults;
};

// For widgets: disabled with a reason in tooltip, accessible description and property disabledReason; enabled when empty.
void setDisabledReason(QWidget* widget, const QString& reason);

} // namespace qw::ui
