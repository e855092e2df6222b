// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/main_menu.h"

#include <QCoreApplication>
#include <QDockWidget>
#include <QMainWindow>
#include <QMenuBar>
#include <algorithm>
#include <set>

namespace qw::ui {
namespace {

struct Menu {
    const char* title;
    // "-": a separator; ">Title" … "<": a menu of its own; "prefix.*": whatever is registered below it and stands nowhere else.
    std::vector<const char*> ids;
};

const std::vector<Menu>& menus() {
    static const std::vector<Menu> table{
        {"&File",
         {"file.newProject", "file.openProject", "file.openModel", "file.sample", "-", "file.importRecipe", "file.importResults",
          "file.saveRecipe", "-", "file.export", "file.exportReport", "file.*", "-", "file.quit"}},
        {"&Edit",
         {"edit.undo", "edit.redo", "-", "edit.cut", "edit.copy", "edit.paste", "-", "edit.find", "edit.*", "-", "edit.preferences"}},
        {"&View",
         {"view.page.*",
          "-",
          "view.dock.*",
          "-",
          ">&Theme",
          "view.theme.system",
          "view.theme.light",
          "view.theme.dark",
          "<",
          ">&Layouts",
          "view.layout.save",
          "view.layout.load",
          "-",
          "view.layout.*",
          "view.layout.reset",
          "<",
          "-",
          "view.chart.*",
          "-",
          "view.*"}},
        {"&Model", {"model.*"}},
        {"&Scheme", {"scheme.*"}},
        {"&Run", {"run.start", "run.pause", "run.resume", "run.checkpoint", "run.stop", "-", "run.evaluate", "run.*", "-", "queue.*"}},
        {"&Compare", {"compare.*"}},
        {"&Tools", {">&Engine", "tools.engine.*", "<", "tools.*"}},
        {"&Help", {"help.guide", "help.shortcuts", "help.*", "-", "help.about"}},
    };
    return table;
}

// What a pattern stands for: everything below it that stands nowhere else and that no longer pattern takes.
std::vector<QAction*> matches(const QString& pattern, const ActionRegistry& actions, const std::set<QString>& placed) {
    const QString prefix = pattern.chopped(1);
    std::vector<QAction*> found;
    for (QAction* action : actions.all()) {
        const QString name = action->objectName(), group = name.left(name.lastIndexOf(QLatin1Char('.')) + 1);
        const bool nearer = group != prefix && placed.contains(group + QLatin1Char('*'));
        if (name.startsWith(prefix) && !placed.contains(name) && !nearer) found.push_back(action);
    }
    return found;
}

void fillMenu(QMenu& top, const Menu& menu, const ActionRegistry& actions, const std::set<QString>& placed) {
    QMenu* into = &top;
    bool separator = false;
    const auto separate = [&] {
        if (separator && !into->isEmpty()) into->addSeparator();
        separator = false;
    };
    for (const char* raw : menu.ids) {
        const QString id = QString::fromLatin1(raw);
        if (id == QLatin1String("-")) {
            separator = true;
        } else if (id.startsWith(QLatin1Char('>'))) {
            separate();
            into = top.addMenu(QCoreApplication::translate("MainMenu", raw + 1));
            into->setObjectName(QStringLiteral("menu") + id.mid(1).remove(QLatin1Char('&')));
        } else if (id == QLatin1String("<")) {
            if (into->isEmpty()) top.removeAction(into->menuAction());
            into = &top;
        } else if (id.endsWith(QLatin1String(".*"))) {
            for (QAction* action : matches(id, actions, placed)) {
                separate();
                into->addAction(action);
            }
        } else if (QAction* action = actions.find(id)) {
            separate();
            into->addAction(action);
        }
    }
}

} // namespace

void buildMenus(QMainWindow& window, ActionRegistry& actions) {
    std::set<QString> placed;
    for (const Menu& menu : menus())
        for (const char* id : menu.ids) placed.insert(QString::fromLatin1(id));
    for (const Menu& menu : menus()) {
        QMenu* top = window.menuBar()->addMenu(QCoreApplication::translate("MainMenu", menu.title));
        top->setObjectName(QStringLiteral("menu") + QString::fromLatin1(menu.title).remove(QLatin1Char('&')));
        fillMenu(*top, menu, actions, placed);
        if (top->isEmpty()) window.menuBar()->removeAction(top->menuAction());
    }
}

void addRecentMenu(QMainWindow& window, Session& session) {
    auto* file = window.menuBar()->findChild<QMenu*>(QStringLiteral("menuFile"));
    auto* recent = new QMenu(QCoreApplication::translate("MainMenu", "&Recent"), file);
    recent->setObjectName(QStringLiteral("menuRecent"));
    const auto actions = file->actions();
    const auto separator = std::find_if(actions.begin(), actions.end(), [](const QAction* action) { return action->isSeparator(); });
    file->insertMenu(separator == actions.end() ? nullptr : *separator, recent);
    const auto fill = [recent, &session] {
        recent->clear();
        for (const RecentItem& item : session.recent.items()) {
            QAction* action = recent->addAction(item.path);
            QObject::connect(action, &QAction::triggered, &session, [&session, path = item.path] { session.openPath(path); });
        }
        recent->menuAction()->setEnabled(!recent->isEmpty());
    };
    QObject::connect(&session.recent, &RecentItems::changed, recent, fill);
    fill();
}

} // namespace qw::ui
