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
    std::vector<const char*> ids; // "-": a separator; "prefix.*": whatever is registered below it and stands nowhere else
};

const std::vector<Menu>& menus() {
    static const std::vector<Menu> table{
        {"&File",
         {"file.newProject", "file.openProject", "file.openModel", "file.sample", "-", "file.importRecipe", "file.saveRecipe", "-",
          "file.export", "file.exportReport", "file.*", "-", "file.quit"}},
        {"&Edit", {"edit.undo", "edit.redo", "-", "edit.find", "edit.*", "-", "edit.preferences"}},
        {"&View",
         {"view.page.*", "-", "view.dock.*", "-", "view.theme.system", "view.theme.light", "view.theme.dark", "-", "view.layout.save",
          "view.layout.reset", "view.layout.*", "-", "view.chart.*", "-", "view.*"}},
        {"&Model", {"model.*"}},
        {"&Scheme", {"scheme.*"}},
        {"&Run", {"run.start", "run.pause", "run.resume", "run.checkpoint", "run.stop", "-", "run.*", "-", "queue.*"}},
        {"&Compare", {"compare.*"}},
        {"&Tools", {"tools.*"}},
        {"&Help", {"help.guide", "help.shortcuts", "help.*", "-", "help.about"}},
    };
    return table;
}

} // namespace

void buildMenus(QMainWindow& window, ActionRegistry& actions) {
    std::set<QString> placed;
    for (const Menu& menu : menus())
        for (const char* id : menu.ids) placed.insert(QString::fromLatin1(id));
    for (const Menu& menu : menus()) {
        QMenu* made = window.menuBar()->addMenu(QCoreApplication::translate("MainMenu", menu.title));
        made->setObjectName(QStringLiteral("menu") + QString::fromLatin1(menu.title).remove(QLatin1Char('&')));
        bool separator = false;
        const auto put = [&](QAction* action) {
            if (separator && !made->isEmpty()) made->addSeparator();
            separator = false;
            made->addAction(action);
        };
        for (const char* raw : menu.ids) {
            QString id = QString::fromLatin1(raw);
            if (id == QLatin1String("-")) {
                separator = true;
            } else if (id.endsWith(QLatin1String(".*"))) {
                id.chop(1);
                for (QAction* action : actions.all()) {
                    const QString name = action->objectName();
                    // A longer pattern of the same menu takes what is below it.
                    const qsizetype dot = name.lastIndexOf(QLatin1Char('.'));
                    const bool nearer = name.left(dot + 1) != id && placed.contains(name.left(dot + 1) + QLatin1Char('*'));
                    if (name.startsWith(id) && !placed.contains(name) && !nearer) put(action);
                }
            } else if (QAction* action = actions.find(id))
                put(action);
        }
        if (made->isEmpty()) window.menuBar()->removeAction(made->menuAction());
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
