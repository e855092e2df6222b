// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/main_window.h"

#include "docks/docks.h"
#include "models/comparison.h"
#include "pages/pages.h"
#include "shell/action_finder.h"
#include "shell/chart_actions.h"
#include "shell/drop_overlay.h"
#include "shell/edit_actions.h"
#include "shell/main_menu.h"
#include "shell/navigation.h"
#include "shell/status_line.h"
#include "theme/theme.h"

#include <QCloseEvent>
#include <QDir>
#include <QDockWidget>
#include <QHBoxLayout>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QPushButton>
#include <QScreen>
#include <QStackedWidget>
#include <algorithm>

namespace qw::ui {
namespace {

MainWindow::Leave askByDialog(QWidget* parent, const QStringList& running) {
    QMessageBox box(QMessageBox::Question, MainWindow::tr("Work is going on"),
                    MainWindow::tr("%1 is still being worked on.").arg(running.join(QStringLiteral(", "))), QMessageBox::NoButton, parent);
    box.setInformativeText(MainWindow::tr("It can go on without the window; the next start shows it again."));
    QPushButton* leave = box.addButton(MainWindow::tr("Leave it running"), QMessageBox::AcceptRole);
    QPushButton* stop = box.addButton(MainWindow::tr("Stop and save"), QMessageBox::DestructiveRole);
    box.addButton(QMessageBox::Cancel);
    box.setDefaultButton(leave);
    box.exec();
    if (box.clickedButton() == leave) return MainWindow::Leave::LeaveRunning;
    return box.clickedButton() == stop ? MainWindow::Leave::StopAndSave : MainWindow::Leave::Cancel;
}

} // namespace

MainWindow::MainWindow(Session& session) : m_session(session), m_actions(session.settings) {
    setObjectName(QStringLiteral("mainWindow"));
    askLeave = [this](const QStringList& running) { return askByDialog(this, running); };
    m_pageStack = new QStackedWidget(this);
    m_pageStack->setObjectName(QStringLiteral("pageStack"));
    m_pages = makePages(session, m_actions);
    for (Page* page : m_pages) m_pageStack->addWidget(page);
    m_navList = new Navigation(m_pages, this);
    auto* centre = new QWidget(this);
    auto* row = new QHBoxLayout(centre);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    row->addWidget(m_navList);
    auto* column = new QVBoxLayout;
    m_notice = new Banner(centre);
    column->addWidget(m_notice);
    column->addWidget(m_pageStack, 1);
    row->addLayout(column, 1);
    setCentralWidget(centre);
    setDockNestingEnabled(true);
    m_docks = makeDocks(session, m_actions);
    for (QDockWidget* dock : m_docks) {
        dock->setParent(this);
        const bool bottom = dock->property("area").toString() == QLatin1String("bottom");
        addDockWidget(bottom ? Qt::BottomDockWidgetArea : Qt::RightDockWidgetArea, dock);
        dock->setVisible(!dock->property("hiddenAtFirst").toBool());
    }
    auto* status = new StatusLine(session, this);
    setStatusBar(status);
    registerActions();
    m_chartActions = new ChartActions(*this, m_actions);
    m_editActions = new EditActions(*this, m_actions);
    buildMenus(*this, m_actions);
    addRecentMenu(*this, m_session);
    m_actionFinder = new ActionFinder(m_actions, this);
    new DropOverlay(session, this);
    arrange();
    m_layouts = new LayoutStore(session.settings, *this);
    wire();
    connect(status, &StatusLine::logWanted, m_actions.find(QStringLiteral("tools.engine.logs")), &QAction::trigger);
    if (!m_layouts->restore())
        showNotice(Error{"", utf8(tr("The stored window layout could not be used.")), utf8(tr("The default layout is shown.")), "", false});
    if (!m_pages.empty()) goTo(PageId::Start);
    showTitle();
}

// The registry goes before the widgets, and hiding them moves the focus once more.
MainWindow::~MainWindow() {
    delete m_chartActions;
    delete m_editActions;
}

// The first layout: as large as the work needs and the screen has.
void MainWindow::arrange() {
    const int em = fontMetrics().height(), letter = fontMetrics().averageCharWidth();
    const QSize room = screen() ? screen()->availableSize() * 0.95 : QSize(letter * 240, em * 64);
    resize(QSize(letter * 240, em * 64).boundedTo(room));
}

// Docks take sizes only in a window that is shown.
void MainWindow::showEvent(QShowEvent* event) {
    QMainWindow::showEvent(event);
    if (!m_docksArranged && !m_layouts->stored()) arrangeDocks();
    m_docksArranged = true;
}

void MainWindow::arrangeDocks() {
    QList<QDockWidget*> right, bottom;
    for (QDockWidget* dock : m_docks)
        if (!dock->isHidden()) (dockWidgetArea(dock) == Qt::BottomDockWidgetArea ? bottom : right).append(dock);
    const int em = fontMetrics().height();
    resizeDocks(right, QList<int>(right.size(), fontMetrics().averageCharWidth() * 42), Qt::Horizontal);
    resizeDocks(bottom, QList<int>(bottom.size(), em * 9), Qt::Vertical);
}

void MainWindow::wire() {
    connect(m_pageStack, &QStackedWidget::currentChanged, m_chartActions, &ChartActions::update);
    for (const Page* page : m_pages) connect(page, &Page::viewStateChanged, m_chartActions, &ChartActions::update);
    const auto menus = menuBar()->actions();
    for (const QAction* menu : menus) {
        connect(menu->menu(), &QMenu::aboutToShow, m_chartActions, &ChartActions::update);
        connect(menu->menu(), &QMenu::aboutToShow, m_editActions, &EditActions::update);
    }
    connect(m_navList, &Navigation::pageChosen, this, &MainWindow::goTo);
    connect(&m_session, &Session::pageWanted, this, &MainWindow::goTo);
    connect(&m_session, &Session::modelWanted, this, [this] { goTo(PageId::Model); });
    connect(&m_session, &Session::recipeWanted, this, [this] { goTo(PageId::Train); });
    connect(&m_session, &Session::notice, this, &MainWindow::showNotice);
    connect(&m_session.project, &Project::failed, this, [this] { goTo(PageId::Start); }); // it says why, and offers others
    connect(&m_session.project, &Project::opened, this, [this] {
        showTitle();
        m_suggestStudy = true;
        if (m_session.project.snapshot()->readOnly)
            showNotice(Error{"store.newer_schema", utf8(tr("The project is open for reading only.")),
                             utf8(m_session.project.snapshot()->notes.join(QLatin1Char(' '))), "", false});
    });
    connect(&m_session.project, &Project::changed, this, &MainWindow::compareNewestStudy);
    connect(&m_session.project, &Project::closed, this, &MainWindow::showTitle);
}

Page* MainWindow::page(PageId id) const {
    for (Page* page : m_pages)
        if (page->id() == id) return page;
    return nullptr;
}

Page* MainWindow::currentPage() const { return qobject_cast<Page*>(m_pageStack->currentWidget()); }

void MainWindow::goTo(PageId id) {
    Page* wanted = page(id);
    if (!wanted || wanted == currentPage()) {
        m_navList->select(id);
        return;
    }
    m_pageStack->setCurrentWidget(wanted);
    m_navList->select(id);
}

void MainWindow::showTitle() {
    const QString dir = m_session.project.dir();
    setWindowTitle(dir.isEmpty() ? tr("QAT Workbench") : tr("%1 – QAT Workbench").arg(QDir(dir).dirName()));
}

void MainWindow::showNotice(const Error& error) {
    const bool bad = error.code.starts_with("file.") || error.code.starts_with("store.") || error.code.starts_with("disk.");
    const bool readable = error.code == "store.newer_schema"; // nothing is wrong with it
    m_notice->show(readable ? Banner::Strength::Warning : bad ? Banner::Strength::Error : Banner::Strength::Info, error);
}

// Finished work shows its answer without being asked, once; whoever chose rows before keeps them. A study in work, or one that was
// interrupted, has not all its rows.
void MainWindow::compareNewestStudy() {
    if (!m_suggestStudy || !drivenStudies().isEmpty()) return;
    const auto snapshot = m_session.project.snapshot();
    const auto choices = studyChoices(*snapshot);
    const bool chosen = !m_session.compared().isEmpty() || !m_session.baseline().isEmpty();
    if (!chosen && choices.empty()) return;
    if (!chosen) {
        const auto study =
            std::ranges::find_if(snapshot->studies, [&](const StudyFacts& facts) { return text(facts.info.uid) == choices.front().uid; });
        const auto isDone = [&](const store::StudyRow& row) {
            const RunFacts* run = snapshot->run(text(row.runUid));
            return run && run->info.state == records::RunState::Completed;
        };
        if (study != snapshot->studies.end() && !std::ranges::all_of(study->rows, isDone)) return;
        m_session.setCompared(choices.front().runs);
    }
    m_suggestStudy = false;
}

QStringList MainWindow::drivenStudies() const {
    QStringList names;
    if (const auto snapshot = m_session.project.snapshot())
        for (const StudyFacts& study : snapshot->studies)
            if (study.driven) names << text(study.info.name);
    return names;
}

void MainWindow::closeEvent(QCloseEvent* event) {
    const QStringList running = drivenStudies();
    if (!running.isEmpty()) {
        const Leave leave = askLeave(running);
        if (leave == Leave::Cancel) {
            event->ignore();
            return;
        }
        if (leave == Leave::StopAndSave)
            for (const StudyFacts& study : m_session.project.snapshot()->studies)
                if (study.driven)
                    m_session.engine.control(m_session.project.dir(), text(study.info.uid), Control::Stop, this,
                                             [](const Result<QByteArray>&) {});
    }
    saveViews();
    event->accept();
}

void MainWindow::saveViews() {
    for (Page* page : m_pages) page->saveViewState();
    m_layouts->save();
    if (m_session.project.isOpen()) m_session.settings.setViewState(QStringLiteral("window/project"), m_session.project.dir());
    if (const Page* page = currentPage()) m_session.settings.setViewState(QStringLiteral("window/page"), static_cast<int>(page->id()));
    m_session.settings.write();
}

void MainWindow::changeEvent(QEvent* event) {
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) Theme::instance().followSystem();
}

} // namespace qw::ui
