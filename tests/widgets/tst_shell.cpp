// SPDX-License-Identifier: GPL-3.0-or-later
// What: the window itself: actions, finder, docks, panes, layouts, drops, theme, the question at closing (ui.md 2).
#include "charts/qat_chart.h"
#include "live_fixture.h"
#include "shell/action_finder.h"
#include "shell/choose_theme.h"
#include "shell/drop_overlay.h"
#include "shell/main_window.h"
#include "shell/pane_cycler.h"
#include "theme/theme.h"
#include "window_bench.h"

#include <QAccessible>
#include <QCheckBox>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QMenuBar>
#include <QMimeData>
#include <QRadioButton>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace qw::ui;
using qw::test::Bench;

namespace {

void drag(QWidget& window, const QString& path, bool drop) {
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(path)});
    QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&window, &enter);
    if (!drop) return;
    QDropEvent event(QPointF(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&window, &event);
}

QString sampleModel() { return QStringLiteral(QW_SOURCE_DIR "/resources/sample/model"); }

} // namespace

class ShellTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { Theme::instance().choose(Theme::Choice::Light); }

    void actionsHaveTextIdAndNoSharedKey() {
        Bench bench;
        QSet<QString> ids;
        QHash<QString, QString> keys;
        QVERIFY(bench.window.actions().all().size() > 20);
        for (QAction* action : bench.window.actions().all()) {
            QVERIFY2(!action->text().isEmpty(), qPrintable(action->objectName()));
            QVERIFY2(!action->property("help").toString().isEmpty(), qPrintable(action->objectName()));
            QVERIFY2(!ids.contains(action->objectName()), qPrintable(action->objectName()));
            ids.insert(action->objectName());
            for (const QKeySequence& key : action->shortcuts()) {
                if (key.isEmpty()) continue;
                QVERIFY2(!keys.contains(key.toString()),
                         qPrintable(key.toString() + u' ' + action->objectName() + u' ' + keys[key.toString()]));
                keys.insert(key.toString(), action->objectName());
            }
        }
    }

    void pagesAnswerToTheirKeys() {
        Bench bench;
        for (Page* page : bench.window.pages()) {
            bench.window.actions().find(QStringLiteral("view.page.") + page->objectName().mid(4).toLower())->trigger();
            QCOMPARE(bench.window.currentPage(), page);
            const QString state = page->property("viewState").toString();
            QVERIFY2(
                (QStringList{QStringLiteral("empty"), QStringLiteral("loading"), QStringLiteral("ready"), QStringLiteral("error")}.contains(
                    state)),
                qPrintable(page->objectName() + u' ' + state));
        }
    }

    void finderNarrowsToOneAndRunsIt() {
        Bench bench;
        bench.window.actions().find(QStringLiteral("view.finder"))->trigger();
        auto* finder = bench.window.findChild<ActionFinder*>(QStringLiteral("actionFinder"));
        QVERIFY(finder && finder->isVisible());
        auto* search = finder->findChild<QLineEdit*>();
        search->setText(QStringLiteral("reset layout"));
        QCOMPARE(finder->list()->model()->rowCount(), 1);
        QSignalSpy ran(bench.window.actions().find(QStringLiteral("view.layout.reset")), &QAction::triggered);
        QTest::keyClick(search, Qt::Key_Return);
        QCOMPARE(ran.size(), 1);
        QVERIFY(!finder->isVisible());
    }

    void everyDockClosesAndComesBack() {
        Bench bench;
        const auto docks = bench.window.findChildren<QDockWidget*>();
        for (QDockWidget* dock : docks) {
            QAction* toggle = bench.window.actions().find(QStringLiteral("view.dock.") + dock->objectName().mid(4).toLower());
            QVERIFY2(toggle, qPrintable(dock->objectName()));
            const bool before = dock->isHidden();
            toggle->trigger();
            QCOMPARE(dock->isHidden(), !before);
            toggle->trigger();
            QCOMPARE(dock->isHidden(), before);
            dock->close();
            QTRY_VERIFY(!toggle->isChecked());
        }
        bench.window.actions().find(QStringLiteral("view.layout.reset"))->trigger();
        for (QDockWidget* dock : docks) QCOMPARE(dock->isHidden(), dock->property("hiddenAtFirst").toBool());
    }

    void f6VisitsEveryPaneAndReturns() {
        Bench bench;
        const auto panes = panesOf(bench.window);
        QVERIFY(panes.size() >= 2);
        const auto paneNow = [&]() -> QWidget* {
            for (QWidget* pane : panes)
                if (pane == bench.window.focusWidget() || pane->isAncestorOf(bench.window.focusWidget())) return pane;
            return nullptr;
        };
        focusNextPane(bench.window, 1);
        QWidget* const first = paneNow();
        QVERIFY(first);
        QSet<QWidget*> seen;
        for (qsizetype i = 0; i < panes.size(); ++i) {
            seen.insert(paneNow());
            focusNextPane(bench.window, 1);
        }
        QCOMPARE(seen.size(), panes.size());
        QCOMPARE(paneNow(), first);
        focusNextPane(bench.window, -1);
        QCOMPARE(paneNow(), panes[(panes.indexOf(first) + panes.size() - 1) % panes.size()]);
    }

    void layoutsSurviveARestart() {
        QTemporaryDir dir;
        const QString file = dir.filePath(QStringLiteral("s.ini"));
        QSize size;
        {
            Settings settings(file);
            qw::test::FakeEngineClient engine;
            Session session(settings, engine);
            MainWindow window(session);
            window.show();
            window.resize(1111, 777);
            size = window.size();
            window.close();
        }
        Settings settings(file);
        qw::test::FakeEngineClient engine;
        Session session(settings, engine);
        MainWindow window(session);
        window.show();
        QTRY_COMPARE(window.size(), size);
    }

    void aCorruptLayoutGivesTheDefault() {
        QTemporaryDir dir;
        Settings settings(dir.filePath(QStringLiteral("s.ini")));
        settings.setViewState(QStringLiteral("window/geometry"), QByteArray("nonsense"));
        settings.setViewState(QStringLiteral("window/state"), QByteArray("nonsense"));
        qw::test::FakeEngineClient engine;
        Session session(settings, engine);
        MainWindow window(session);
        window.show();
        auto* banner = window.findChild<Banner*>(QStringLiteral("banner"), Qt::FindChildrenRecursively);
        QVERIFY(banner && banner->isVisible());
    }

    void dropOfAModelAsksOnce() {
        Bench bench;
        QSignalSpy wanted(&bench.session, &Session::modelWanted);
        auto* overlay = bench.window.findChild<DropOverlay*>(QStringLiteral("dropOverlay"));
        drag(bench.window, sampleModel(), false);
        QVERIFY(overlay->isVisible());
        QVERIFY(overlay->text().contains(QStringLiteral("model")));
        drag(bench.window, sampleModel(), true);
        QVERIFY(!overlay->isVisible());
        QCOMPARE(wanted.size(), 1);
        QTRY_COMPARE(bench.session.model.state(), OpenModel::State::Ready);
    }

    void dropOfSomethingElseSaysWhy() {
        Bench bench;
        QTemporaryDir empty;
        QSignalSpy wanted(&bench.session, &Session::modelWanted);
        drag(bench.window, empty.path(), false);
        auto* overlay = bench.window.findChild<DropOverlay*>(QStringLiteral("dropOverlay"));
        QVERIFY2(overlay->text().contains(QStringLiteral("no config.json here")), qPrintable(overlay->text()));
        drag(bench.window, empty.path(), true);
        QCOMPARE(wanted.size(), 0);
    }

    void textIsReadable_data() {
        QTest::addColumn<bool>("dark");
        QTest::newRow("light") << false;
        QTest::newRow("dark") << true;
    }
    void textIsReadable() {
        QFETCH(bool, dark);
        const ThemeTable& table = dark ? Theme::dark() : Theme::light();
        for (const auto& [text, ground] : Theme::textPairs())
            QVERIFY2(contrast(table[text], table[ground]) >= 4.5, qPrintable(QStringLiteral("%1 on %2: %3")
                                                                                 .arg(table[text].name(), table[ground].name())
                                                                                 .arg(contrast(table[text], table[ground]))));
        for (const QColor& line : table.series) QVERIFY2(contrast(line, table[Token::Base]) >= 3, qPrintable(line.name()));
    }

    void themeSwitchReachesTheWindow() {
        Bench bench;
        Theme::instance().choose(Theme::Choice::Dark);
        QCOMPARE(bench.window.palette().color(QPalette::Window), Theme::dark()[Token::Window]);
        bench.settings.setValue(QStringLiteral("appearance/theme"), QStringLiteral("light"));
        QCOMPARE(bench.window.palette().color(QPalette::Window), Theme::light()[Token::Window]);
    }

    void checkBoxesHaveAnOutlineToSee() {
        for (const auto choice : {Theme::Choice::Light, Theme::Choice::Dark}) {
            Theme::instance().choose(choice);
            QCheckBox box;
            QRadioButton radio;
            for (QAbstractButton* one : {static_cast<QAbstractButton*>(&box), static_cast<QAbstractButton*>(&radio)}) {
                one->show();
                const QColor ground = one->palette().color(QPalette::Window);
                for (const bool on : {false, true}) {
                    one->setChecked(on);
                    const QImage picture = one->grab().toImage();
                    const QPoint middle(picture.height() / 2, picture.height() / 2);
                    double best = 1; // along a line from the left edge to the middle of the indicator
                    for (int x = 0; x < middle.x(); ++x) best = std::max(best, contrast(picture.pixelColor(x, middle.y()), ground));
                    QVERIFY2(best >= 3, qPrintable(QStringLiteral("%1 %2 %3").arg(ground.name()).arg(on).arg(best)));
                }
            }
        }
        Theme::instance().choose(Theme::Choice::Light);
    }

    void chartActionsWorkOnTheChartThatIsSeen() {
        Bench bench;
        QAction* full = bench.window.actions().find(QStringLiteral("view.chart.fullPage"));
        QAction* table = bench.window.actions().find(QStringLiteral("view.chart.table"));
        QVERIFY(full && table);
        QCOMPARE(full->shortcut(), QKeySequence(Qt::Key_F11));
        QVERIFY(!full->isEnabled() && !full->property("disabledReason").toString().isEmpty()); // page Start
        qw::test::GrowingRun run(std::filesystem::path(bench.dir.path().toStdString()) / "p", "seen", 100);
        run.train(20);
        bench.session.project.open(bench.dir.filePath(QStringLiteral("p")));
        bench.window.goTo(PageId::Live);
        QTRY_COMPARE_WITH_TIMEOUT(bench.window.currentPage()->property("viewState").toString(), QStringLiteral("ready"), 10'000);
        QTRY_VERIFY(full->isEnabled() && table->isEnabled());
        auto* loss = bench.window.findChild<QatChart*>(QStringLiteral("live_loss"));
        auto* rate = bench.window.findChild<QatChart*>(QStringLiteral("live_lr"));
        QVERIFY(loss && rate);
        table->trigger(); // the largest one
        QVERIFY(loss->isTableShown() && table->isChecked());
        table->trigger();
        QVERIFY(!loss->isTableShown());
        rate->setFocus();
        QTRY_VERIFY(rate->hasFocus());
        QTest::keyClick(rate, Qt::Key_F11);
        QTRY_VERIFY(!loss->isVisible() && rate->isVisible());
        QTest::keyClick(rate, Qt::Key_Escape);
        QTRY_VERIFY(loss->isVisible());
        QVERIFY(bench.window.menuBar()->findChild<QMenu*>(QStringLiteral("menuView"))->actions().contains(full));
    }

    void theDatabaseIsChecked() {
        Bench bench;
        const auto project = std::filesystem::path(bench.dir.path().toStdString()) / "p";
        qw::test::GrowingRun run(project, "here", 100);
        run.finish();
        bench.session.project.open(bench.dir.filePath(QStringLiteral("p")));
        QTRY_VERIFY(bench.session.project.isOpen());
        QAction* check = bench.window.actions().find(QStringLiteral("tools.databaseCheck"));
        const auto notice = [&] {
            QString words;
            for (const Banner* banner : bench.window.findChildren<Banner*>())
                if (banner->isVisible()) words += banner->accessibleName();
            return words;
        };
        check->trigger();
        QTRY_VERIFY2(notice().contains(QStringLiteral("is whole")), qPrintable(notice()));
        std::filesystem::remove_all(run.folder.dir);
        check->trigger();
        QTRY_VERIFY2(notice().contains(QStringLiteral("is gone")), qPrintable(notice()));
    }

    void recentProjectsStandInTheFileMenu() {
        Bench bench;
        auto* recent = bench.window.menuBar()->findChild<QMenu*>(QStringLiteral("menuRecent"));
        QVERIFY(recent && !recent->menuAction()->isEnabled());
        bench.session.recent.note(sampleModel(), false);
        QCOMPARE(recent->actions().size(), 1);
        QVERIFY(recent->menuAction()->isEnabled());
        QSignalSpy wanted(&bench.session, &Session::modelWanted);
        recent->actions().first()->trigger();
        QCOMPARE(wanted.size(), 1);
        QTRY_COMPARE(bench.session.model.state(), OpenModel::State::Ready);
    }

    void settingsComeBackAndReset() {
        QTemporaryDir dir;
        const QString file = dir.filePath(QStringLiteral("s.ini"));
        {
            Settings settings(file);
            settings.setValue(QStringLiteral("charts/smoothing"), 0.9);
        }
        Settings settings(file);
        QCOMPARE(settings.value(QStringLiteral("charts/smoothing")).toDouble(), 0.9);
        settings.reset(QStringLiteral("charts/smoothing"));
        QCOMPARE(settings.value(QStringLiteral("charts/smoothing")), Settings::find(QStringLiteral("charts/smoothing"))->fallback);
    }

    void focusableWidgetsHaveNames() {
        Bench bench;
        QStringList nameless;
        for (Page* page : bench.window.pages()) {
            bench.window.goTo(page->id());
            const auto widgets = bench.window.findChildren<QWidget*>();
            for (QWidget* widget : widgets) {
                if (!(widget->focusPolicy() & Qt::TabFocus) || !widget->isVisible() || qobject_cast<QScrollBar*>(widget)) continue;
                QAccessibleInterface* access = QAccessible::queryAccessibleInterface(widget);
                if (!access || !access->text(QAccessible::Name).isEmpty()) continue;
                nameless << page->objectName() + QStringLiteral(": ") + QString::fromLatin1(widget->metaObject()->className()) + u' ' +
                                widget->objectName();
            }
        }
        QVERIFY2(nameless.isEmpty(), qPrintable(nameless.join(QStringLiteral(", "))));
    }
};

QTEST_MAIN(ShellTest)
#include "tst_shell.moc"
