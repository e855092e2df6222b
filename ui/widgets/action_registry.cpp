// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/action_registry.h"

#include "settings/settings.h"
#include "theme/theme.h"

#include <QWidget>

namespace qw::ui {
namespace {

QString settingKey(const QString& id) { return QStringLiteral("shortcuts/") + id; }

} // namespace

ActionRegistry::ActionRegistry(Settings& settings, QObject* parent) : QObject(parent), m_settings(settings) {
    connect(&Theme::instance(), &Theme::changed, this, [this] {
        for (QAction* action : m_actions) action->setIcon(Theme::instance().icon(action->property("iconName").toString()));
    });
}

QAction* ActionRegistry::add(const Spec& spec, QObject* context, std::function<void()> run) {
    Q_ASSERT_X(!m_byId.contains(spec.id), "ActionRegistry::add", qPrintable(spec.id));
    auto* action = new QAction(spec.text, this);
    action->setObjectName(spec.id);
    action->setProperty("iconName", spec.icon);
    action->setProperty("help", spec.help);
    action->setIcon(Theme::instance().icon(spec.icon));
    action->setCheckable(spec.checkable);
    m_defaults.insert(spec.id, spec.keys);
    const QVariant own = m_settings.viewState(settingKey(spec.id));
    QList<QKeySequence> keys = spec.keys;
    if (own.isValid()) keys = QKeySequence::listFromString(own.toString(), QKeySequence::PortableText);
    action->setShortcuts(keys);
    describe(action);
    if (run) connect(action, &QAction::triggered, context, [run = std::move(run)] { run(); });
    m_actions.push_back(action);
    m_byId.insert(spec.id, action);
    return action;
}

QAction* ActionRegistry::find(const QString& id) const { return m_byId.value(id); }

void ActionRegistry::describe(QAction* action) const {
    const QString help = action->property("help").toString();
    const QString keys = action->shortcut().toString(QKeySequence::NativeText);
    QString tip = help.isEmpty() ? action->text().remove(QLatin1Char('&')) : help;
    if (!keys.isEmpty()) tip += QStringLiteral(" (") + keys + QLatin1Char(')');
    action->setToolTip(tip);
    action->setStatusTip(help);
}

void ActionRegistry::setDisabledReason(QAction* action, const QString& reason) {
    action->setEnabled(reason.isEmpty());
    action->setProperty("disabledReason", reason);
    const QString help = action->property("help").toString();
    action->setToolTip(reason.isEmpty() ? help : help + QLatin1Char('\n') + reason);
}

QString ActionRegistry::setKeys(const QString& id, const QList<QKeySequence>& keys) {
    QAction* action = find(id);
    Q_ASSERT(action);
    for (QAction* other : m_actions)
        for (const auto& key : keys)
            if (other != action && !key.isEmpty() && other->shortcuts().contains(key)) return other->text().remove(QLatin1Char('&'));
    action->setShortcuts(keys);
    describe(action);
    m_settings.setViewState(
        settingKey(id), keys == m_defaults.value(id) ? QVariant() : QVariant(QKeySequence::listToString(keys, QKeySequence::PortableText)));
    return {};
}

void setDisabledReason(QWidget* widget, const QString& reason) {
    if (!widget->property("helpText").isValid()) widget->setProperty("helpText", widget->toolTip());
    widget->setEnabled(reason.isEmpty());
    widget->setProperty("disabledReason", reason);
    widget->setToolTip(reason.isEmpty() ? widget->property("helpText").toString() : reason);
    widget->setAccessibleDescription(reason);
}

} // namespace qw::ui
