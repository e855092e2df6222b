// SPDX-License-Identifier: GPL-3.0-or-later
// What: the window: owns pages, docks, menus and their layout, and nothing else.
#pragma once

#include "client/session.h"
#include "pages/page.h"
#include "shell/layout_store.h"
#include "widgets/action_registry.h"

#include <QMainWindow>
#include <functional>
#include <vector>

class QDockWidget;
class QStackedWidget;

namespace qw::ui {

class ActionFinder;
class ChartActions;
class EditActions;
class Navigation;

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    explicit MainWindow(Session& session); // objectName mainWindow
    ~MainWindow() override;

    [[nodiscard]] ActionRegistry& actions() { return m_actions; }
    [[nodiscard]] const std::vector<Page*>& pages() const { return m_pages; }
    [[nodiscard]] Page* page(PageId id) const; // null: not in this build
    [[nodiscard]] Page* currentPage() const;
    void goTo(PageId id);
    void arrangeDocks(); // a few lines of log, the others as wide as their facts
    // What to do about work that goes on when the window closes; a dialog unless a test answers.
    enum class Leave : uint8_t { LeaveRunning, StopAndSave, Cancel };
    std::function<Leave(const QStringList& running)> askLeave;

private:
    void closeEvent(QCloseEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void changeEvent(QEvent* event) override;
    void arrange();
    void registerActions();
    void registerHelpActions();
    void checkDatabase();
    void wire();
    void showTitle();
    void compareNewestStudy();
    void saveViews();
    void showNotice(const Error& error);
    [[nodiscard]] QStringList drivenStudies() const;

    Session& m_session;
    ActionRegistry m_actions;
    std::vector<Page*> m_pages;
    std::vector<QDockWidget*> m_docks;
    QStackedWidget* m_pageStack = nullptr;
    Navigation* m_navList = nullptr;
    ActionFinder* m_actionFinder = nullptr;
    Banner* m_notice = nullptr; // above the pages: what concerns the window, not one page
    LayoutStore* m_layouts = nullptr;
    ChartActions* m_chartActions = nullptr;
    EditActions* m_editActions = nullptr;
    bool m_docksArranged = false, m_suggestStudy = false;
};

} // namespace qw::ui
