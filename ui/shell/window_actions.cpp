// SPDX-License-Identifier: GPL-3.0-or-later
// What: the actions of the window itself: pages, docks, theme, layouts, undo, finder, help.
#include "dialogs/dialogs.h"
#include "shell/action_finder.h"
#include "shell/choose_theme.h"
#include "shell/main_window.h"
#include "shell/pane_cycler.h"
#include "theme/theme.h"

#include <QActionGroup>
#include <QApplication>
#include <QDockWidget>
#include <QInputDialog>

namespace qw::ui {

void MainWindow::registerActions() {
    auto& a = m_actions;
    a.add({QStringLiteral("file.quit"),
           tr("&Quit"),
           QStringLiteral("quit"),
           tr("Close the window; work that goes on is asked about"),
           {QKeySequence::Quit}},
          this, [this] { close(); });
    QAction* undo =
        a.add({QStringLiteral("edit.undo"), tr("&Undo"), QStringLiteral("undo"), tr("Take back the last change"), {QKeySequence::Undo}},
              this, [this] { m_session.undo.undo(); });
    QAction* redo = a.add({QStringLiteral("edit.redo"),
                           tr("&Redo"),
                           QStringLiteral("redo"),
                           tr("Make the change again"),
                           {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z)}},
                          this, [this] { m_session.undo.redo(); });
    const auto show = [this, undo, redo] {
        const QUndoStack& stack = m_session.undo;
        ActionRegistry::setDisabledReason(undo, stack.canUndo() ? QString() : tr("nothing to undo"));
        ActionRegistry::setDisabledReason(redo, stack.canRedo() ? QString() : tr("nothing to redo"));
        undo->setText(stack.canUndo() ? tr("&Undo %1").arg(stack.undoText()) : tr("&Undo"));
        redo->setText(stack.canRedo() ? tr("&Redo %1").arg(stack.redoText()) : tr("&Redo"));
    };
    connect(&m_session.undo, &QUndoStack::indexChanged, this, show);
    connect(&m_session.undo, &QUndoStack::canUndoChanged, this, show);
    show();
    a.add({QStringLiteral("edit.find"),
           tr("&Find on this page"),
           QStringLiteral("find"),
           tr("Go to the filter of the page"),
           {QKeySequence::Find}},
          this, [this] {
              if (Page* page = currentPage()) page->find();
          });
    a.add({QStringLiteral("edit.preferences"),
           tr("&Preferences…"),
           QStringLiteral("settings"),
           tr("Change how the window looks and works"),
           {QKeySequence(Qt::CTRL | Qt::Key_Comma)}},
          this, [this] { showSettings(m_session, m_actions, this); });
    a.add({QStringLiteral("view.finder"),
           tr("Find action…"),
           QStringLiteral("find"),
           tr("Every action of the window by name"),
           {QKeySequence(Qt::CTRL | Qt::Key_K)}},
          this, [this] { m_actionFinder->popUp(); });
    a.add({QStringLiteral("view.nextPane"),
           tr("Next pane"),
           {},
           tr("Move the keyboard to the next part of the window"),
           {QKeySequence(Qt::Key_F6)}},
          this, [this] { focusNextPane(*this, 1); });
    a.add({QStringLiteral("view.previousPane"),
           tr("Previous pane"),
           {},
           tr("Move the keyboard to the part before"),
           {QKeySequence(Qt::SHIFT | Qt::Key_F6)}},
          this, [this] { focusNextPane(*this, -1); });
    for (Page* page : m_pages)
        a.add({QStringLiteral("view.page.") + page->objectName().mid(4).toLower(),
               page->title(),
               page->iconName(),
               tr("Go to the page %1").arg(page->title()),
               {QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + static_cast<int>(page->id())))}},
              this, [this, page] { goTo(page->id()); });
    for (QDockWidget* dock : m_docks) {
        QAction* toggle = a.add({QStringLiteral("view.dock.") + dock->objectName().mid(4).toLower(),
                                 dock->windowTitle(),
                                 {},
                                 tr("Show or hide %1").arg(dock->windowTitle()),
                                 {},
                                 true},
                                this, {});
        connect(toggle, &QAction::triggered, dock, &QDockWidget::setVisible);
        connect(dock, &QDockWidget::visibilityChanged, toggle, [toggle, dock] { toggle->setChecked(!dock->isHidden()); });
        toggle->setChecked(!dock->isHidden());
    }
    auto* themes = new QActionGroup(this);
    static constexpr std::pair<const char*, Theme::Choice> choices[] = {
        {"system", Theme::Choice::System}, {"light", Theme::Choice::Light}, {"dark", Theme::Choice::Dark}};
    const QString names[] = {tr("System theme"), tr("Light theme"), tr("Dark theme")};
    for (size_t i = 0; i < std::size(choices); ++i) {
        const QString word = QString::fromLatin1(choices[i].first);
        QAction* action = a.add({QStringLiteral("view.theme.") + word, names[i], {}, tr("Colours of the window"), {}, true}, this,
                                [this, word] { m_session.settings.setValue(QStringLiteral("appearance/theme"), word); });
        action->setChecked(Theme::instance().choice() == choices[i].second);
        themes->addAction(action);
    }
    connect(&m_session.settings, &Settings::changed, this, [this](const QString& key) {
        if (key == QLatin1String("appearance/theme")) {
            chooseTheme(m_session.settings);
            if (QAction* action = m_actions.find(QStringLiteral("view.theme.") + m_session.settings.value(key).toString()))
                action->setChecked(true);
        }
    });
    registerHelpActions();
}

void MainWindow::checkDatabase() {
    m_session.project.query<std::vector<std::string>>(
        QStringLiteral("databaseCheck"), [](store::Store& store) { return store.check(); }, this,
        [this](const Result<std::vector<std::string>>& problems) {
            if (!problems) {
                showNotice(problems.error());
                return;
            }
            QStringList lines;
            for (const std::string& problem : *problems) lines << text(problem);
            if (lines.isEmpty())
                showNotice(Error{"", utf8(tr("The project's database is whole, and every run's folder is there.")), "", "", false});
            else
                showNotice(
                    Error{"store.corrupt", utf8(tr("The project's database has problems: %1").arg(lines.join(QStringLiteral("; ")))),
                          utf8(tr("Close the window and run “qatw store rebuild”: it makes the database again from the run folders.")), "",
                          false});
        });
}

void MainWindow::registerHelpActions() {
    auto& a = m_actions;
    a.add({QStringLiteral("view.layout.save"), tr("Save layout as…"), {}, tr("Keep the arrangement of the window under a name"), {}}, this,
          [this] {
              const QString name = QInputDialog::getText(this, tr("Save layout"), tr("Name of the layout"));
              if (!name.trimmed().isEmpty()) m_layouts->saveAs(name.trimmed());
          });
    a.add({QStringLiteral("view.layout.load"), tr("Load layout…"), {}, tr("Bring a named arrangement back"), {}}, this, [this] {
        bool chosen = false;
        const QString name = QInputDialog::getItem(this, tr("Load layout"), tr("Layout"), m_layouts->names(), 0, false, &chosen);
        if (chosen && !m_layouts->apply(name))
            showNotice(
                Error{"", utf8(tr("The layout %1 could not be used.").arg(name)), utf8(tr("The default layout is shown.")), "", false});
    });
    a.add({QStringLiteral("view.layout.reset"),
           tr("Reset layout"),
           QStringLiteral("reset"),
           tr("Bring back every closed or floating panel"),
           {}},
          this, [this] { m_layouts->reset(); });
    a.add({QStringLiteral("tools.engine.logs"), tr("Show &log"), QStringLiteral("log"), tr("What engine and window have said"), {}}, this,
          [this] {
              auto* log = findChild<QDockWidget*>(QStringLiteral("dockLog"));
              if (!log) return;
              log->show();
              log->raise();
          });
    a.add({QStringLiteral("tools.databaseCheck"),
           tr("&Database check"),
           QStringLiteral("check"),
           tr("Is the project's database whole, and is every run's folder there?"),
           {}},
          this, [this] { checkDatabase(); });
    a.add({QStringLiteral("help.guide"),
           tr("&Guide"),
           QStringLiteral("help"),
           tr("What this page is for and how to use it"),
           {QKeySequence::HelpContents}},
          this, [this] { showGuide(currentPage() ? currentPage()->guideTopic() : QStringLiteral("start"), this); });
    a.add({QStringLiteral("help.shortcuts"), tr("&Shortcuts"), {}, tr("Every action with its keys"), {}}, this,
          [this] { showShortcuts(m_actions, this); });
    a.add({QStringLiteral("help.diagnostics"),
           tr("&Copy diagnostics"),
           QStringLiteral("copy"),
           tr("Versions and devices onto the clipboard, without paths"),
           {}},
          this, [this] { copyDiagnostics(m_session); });
    a.add({QStringLiteral("help.about"), tr("&About QAT Workbench"), QStringLiteral("info"), tr("Versions and licences"), {}}, this,
          [this] { showAbout(m_session, this); });
    a.add({QStringLiteral("file.export"),
           tr("&Export checkpoint…"),
           QStringLiteral("export"),
           tr("Write a run's weights for other programs"),
           {QKeySequence(Qt::CTRL | Qt::Key_E)}},
          this, [this] { showExport(m_session, m_session.liveRun(), this); });
    connect(&m_session, &Session::exportWanted, this, [this](const QString& run) { showExport(m_session, run, this); });
}

} // namespace qw::ui
