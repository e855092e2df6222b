// SPDX-License-Identifier: GPL-3.0-or-later
// What: page Start: its cards are the File menu's actions, the recent list opens, greys and removes, the sample is one click.
#include "config/resources.h"
#include "desk.h"
#include "pages/start/file_actions.h"
#include "pages/start/start_page.h"

#include <QAction>
#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTreeView>

using namespace qw;
using namespace qw::ui;

class StartPageTest : public QObject {
    Q_OBJECT
    test::TempDir m_dir;
    using Window = test::PageWindow<StartPage>;
    std::unique_ptr<Window> m_window;

private Q_SLOTS:
    void init() {
        std::filesystem::remove(m_dir.path() / "s.ini");
        qputenv("XDG_DATA_HOME", QByteArray::fromStdString((m_dir.path() / "data").string()));
        m_window = std::make_unique<Window>(m_dir.path() / "s.ini", QSize(1000, 700));
    }
    void cleanup() { m_window.reset(); }

    void cardsAreTheActions() {
        for (const char* id : {"file.newProject", "file.openProject", "file.openModel", "file.sample", "file.importRecipe"}) {
            QAction* action = m_window->actions.find(QString::fromLatin1(id));
            QVERIFY2(action && !action->text().isEmpty() && !action->property("help").toString().isEmpty(), id);
        }
        QCOMPARE(m_window->actions.find(QStringLiteral("file.openModel"))->shortcut(), QKeySequence(QStringLiteral("Ctrl+O")));
        QCOMPARE(m_window->actions.find(QStringLiteral("file.openProject"))->shortcut(), QKeySequence(QStringLiteral("Ctrl+Shift+O")));
        const std::pair<const char*, const char*> cards[] = {
            {"cardOpenModelButton", "file.openModel"}, {"cardOpenProjectButton", "file.openProject"}, {"cardSampleButton", "file.sample"}};
        for (const auto& [button, id] : cards) {
            QAction* action = m_window->actions.find(QString::fromLatin1(id));
            action->disconnect(); // not what it does: that it is triggered
            QSignalSpy triggered(action, &QAction::triggered);
            m_window->find<QPushButton>(button)->click();
            QCOMPARE(triggered.size(), 1);
        }
        QCOMPARE(m_window->page.property("viewState").toString(), QStringLiteral("ready"));
    }
    void sampleOpensModelRecipeAndProject() {
        QSignalSpy pages(&m_window->session, &Session::pageWanted);
        m_window->find<QPushButton>("cardSampleButton")->click();
        QTRY_VERIFY(m_window->session.project.isOpen());
        QTRY_COMPARE(m_window->session.model.state(), OpenModel::State::Ready);
        QCOMPARE(m_window->session.draft.recipe().schemes.size(), size_t(4));
        const auto model = config::resourcesDir() / "sample/model";
        QCOMPARE(m_window->session.draft.recipe().model.path, model.string()); // used where it lies
        QVERIFY(m_window->session.project.dir().startsWith(QString::fromStdString((m_dir.path() / "data").string())));
        QVERIFY(!pages.isEmpty() && pages.last().first().value<PageId>() == PageId::Train);
        QTRY_COMPARE(m_window->session.recent.items().size(), qsizetype(2));
    }
    void recentListOpensAndRemoves() {
        auto& session = m_window->session;
        auto* list = m_window->find<QTreeView>("recentList");
        QVERIFY(!list->isVisible() && m_window->find<QLabel>("recentEmpty")->isVisible());
        test::writeText(m_dir.path() / "m/config.json", "{}");
        test::writeText(m_dir.path() / "m/model.safetensors", "x");
        session.recent.note(QStringLiteral("/gone"), false);
        session.recent.note(QString::fromStdString((m_dir.path() / "m").string()), false);
        QVERIFY(list->isVisible());
        auto* open = m_window->find<QPushButton>("recentOpen");
        QVERIFY(!open->isEnabled() && !open->property("disabledReason").toString().isEmpty());
        list->setCurrentIndex(list->model()->index(0, 0));
        QTRY_VERIFY(open->isEnabled());
        QSignalSpy wanted(&session, &Session::modelWanted);
        open->click();
        QCOMPARE(wanted.size(), 1);
        list->setCurrentIndex(list->model()->index(1, 0));
        QTRY_VERIFY(!open->isEnabled()); // greyed: it is missing
        QVERIFY(m_window->find<QPushButton>("recentLocate")->isEnabled());
        m_window->find<QPushButton>("recentRemove")->click();
        QCOMPARE(session.recent.items().size(), qsizetype(1));
    }
    void failedProjectIsExplained() {
        test::writeText(m_dir.path() / "file", "no folder");
        m_window->session.project.open(QString::fromStdString((m_dir.path() / "file/project").string()));
        auto* banner = m_window->find<QFrame>("bannerError");
        QTRY_VERIFY(banner->isVisible());
        QVERIFY(!banner->property("code").toString().isEmpty());
        QCOMPARE(m_window->page.property("viewState").toString(), QStringLiteral("error"));
        QVERIFY(m_window->find<QPushButton>("cardSampleButton")->isVisible()); // what can be done stays
    }
    void everythingHasAName() {
        for (QWidget* widget : m_window->page.findChildren<QWidget*>())
            if (widget->isVisible() && widget->focusPolicy() != Qt::NoFocus && !widget->inherits("QLabel") &&
                !widget->inherits("QHeaderView")) {
                auto* button = qobject_cast<QAbstractButton*>(widget);
                QVERIFY2(!widget->accessibleName().isEmpty() || (button && !button->text().isEmpty()), qPrintable(widget->objectName()));
            }
    }
};

QTEST_MAIN(StartPageTest)
#include "tst_start_page.moc"
