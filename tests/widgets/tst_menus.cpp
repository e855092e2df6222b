// SPDX-License-Identifier: GPL-3.0-or-later
// What: what stands in the menus of the window, and small things behind them: editing, work in progress, keys, diagnostics (ui.md 2, 5).
#include "store/store.h"
#include "theme/theme.h"
#include "widgets/activity_list.h"
#include "window_bench.h"
#include "wire/lock_file.h"

#include <QCheckBox>
#include <QClipboard>
#include <QDialog>
#include <QGuiApplication>
#include <QKeySequenceEdit>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QMenuBar>
#include <QProgressBar>
#include <QPushButton>
#include <QToolButton>

using namespace qw::ui;
using qw::test::Bench;

class MenusTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { Theme::instance().choose(Theme::Choice::Light); }

    void menusHaveTheirPlaces_data() {
        QTest::addColumn<QString>("menu");
        QTest::addColumn<QStringList>("ids");
        const auto add = [](const char* menu, const char* ids) {
            QTest::newRow(menu) << QString::fromLatin1(menu) << QString::fromLatin1(ids).split(u' ');
        };
        add("menuFile", "file.newProject file.openProject file.openModel file.importRecipe file.export file.exportReport file.quit");
        add("menuEdit", "edit.undo edit.redo edit.cut edit.copy edit.paste edit.find edit.preferences");
        add("menuTheme", "view.theme.system view.theme.light view.theme.dark");
        add("menuLayouts", "view.layout.save view.layout.load view.layout.reset");
        add("menuModel", "model.inspect model.reload model.close");
        add("menuRun", "run.start run.pause run.stop run.resumeFrom run.duplicate run.evaluate");
        add("menuCompare", "compare.baseline compare.toggle compare.clear");
        add("menuEngine", "tools.engine.restart tools.engine.attach tools.engine.logs");
        add("menuTools", "tools.databaseCheck");
        add("menuHelp", "help.guide help.shortcuts help.diagnostics help.about");
    }
    void menusHaveTheirPlaces() {
        QFETCH(QString, menu);
        QFETCH(QStringList, ids);
        Bench bench(false);
        const auto* made = bench.window.menuBar()->findChild<QMenu*>(menu);
        QVERIFY(made);
        for (const QString& id : ids) {
            QAction* action = bench.window.actions().find(id);
            QVERIFY2(action && made->actions().contains(action), qPrintable(id));
            QVERIFY2(action->isEnabled() || !action->property("disabledReason").toString().isEmpty(), qPrintable(id));
        }
    }

    void cutCopyAndPasteWorkOnWhatHasTheKeyboard() {
        Bench bench;
        QLineEdit line(&bench.window);
        line.setText(QStringLiteral("a word"));
        line.show();
        bench.window.activateWindow();
        QTRY_VERIFY(bench.window.isActiveWindow());
        const auto act = [&](const char* id) { return bench.window.actions().find(QLatin1String(id)); };
        const auto open = [&] { Q_EMIT bench.window.menuBar()->findChild<QMenu*>(QStringLiteral("menuEdit"))->aboutToShow(); };
        line.setFocus();
        line.selectAll();
        open();
        QVERIFY(act("edit.cut")->isEnabled() && act("edit.copy")->isEnabled());
        act("edit.cut")->trigger();
        QCOMPARE(line.text(), QString());
        QCOMPARE(QGuiApplication::clipboard()->text(), QStringLiteral("a word"));
        open();
        QVERIFY(!act("edit.cut")->isEnabled() && act("edit.paste")->isEnabled());
        act("edit.paste")->trigger();
        QCOMPARE(line.text(), QStringLiteral("a word"));
        line.setReadOnly(true);
        open();
        QVERIFY(!act("edit.paste")->isEnabled() && !act("edit.paste")->property("disabledReason").toString().isEmpty());
        // The key itself stays the line's own.
        line.setReadOnly(false);
        line.clear();
        QTest::keySequence(&line, QKeySequence::Paste);
        QCOMPARE(line.text(), QStringLiteral("a word"));
    }

    void longWorkStandsInTheStatusBarAndIsCancelled() {
        Bench bench;
        auto* place = bench.window.findChild<ActivityList*>(QStringLiteral("statusProgress"));
        auto* queued = bench.window.findChild<ActivityList*>(QStringLiteral("queueProgress"));
        QVERIFY(place && queued && !place->isVisible());
        QString last;
        bench.session.command(QStringLiteral("Exporting it"), {QStringLiteral("export")}, &bench.window,
                              [&](const QString& said) { last = said; }, {});
        QVERIFY(!place->isVisible()); // short work never shows
        QTRY_VERIFY(place->isVisible());
        QVERIFY(!queued->isVisible()); // it does after ten seconds
        auto* bar = place->findChild<QProgressBar*>(QStringLiteral("activityBar"));
        QCOMPARE(bar->maximum(), 0);
        QCOMPARE(place->findChild<QLabel*>(QStringLiteral("activityTitle"))->text(), QStringLiteral("Exporting it"));
        bench.engine.asked.last().progress(QStringLiteral("export bytes 12/48 (25 %)"));
        QCOMPARE(last, QStringLiteral("export bytes 12/48 (25 %)"));
        QCOMPARE(bar->value() * 4, bar->maximum());
        QTest::mouseClick(place->findChild<QToolButton*>(QStringLiteral("activityCancel")), Qt::LeftButton);
        QCOMPARE(bench.engine.cancelled, QVector<int>{static_cast<int>(bench.engine.asked.size())});
        bench.engine.answer(QStringLiteral("command"), qw::Error{"engine.cancelled", "cancelled", "", "", true});
        QVERIFY(!place->isVisible() && bench.session.activities.all().empty());
    }

    void workEndsWithItsAnswerThoughNobodyWaits() {
        Bench bench(false);
        auto asker = std::make_unique<QObject>();
        bool told = false;
        bench.session.command(QStringLiteral("x"), {QStringLiteral("doctor")}, asker.get(), {},
                              [&](const qw::Result<QByteArray>&) { told = true; });
        asker.reset();
        QCOMPARE(bench.session.activities.all().size(), size_t(1));
        bench.engine.answer(QStringLiteral("command"), QByteArray("{}"));
        QVERIFY(!told && bench.session.activities.all().empty());
    }

    void keysAreChangedInThePreferences() {
        Bench bench;
        bench.window.actions().find(QStringLiteral("edit.preferences"))->trigger();
        auto* dialog = bench.window.findChild<QDialog*>(QStringLiteral("settingsDialog"));
        QVERIFY(dialog);
        auto* list = dialog->findChild<QListWidget*>();
        QVERIFY(!list->findItems(QStringLiteral("Shortcuts"), Qt::MatchExactly).isEmpty());
        dialog->findChild<QLineEdit*>(QStringLiteral("settingsSearch"))->setText(QStringLiteral("reset layout"));
        QCOMPARE(list->currentItem()->text(), QStringLiteral("Shortcuts")); // no setting has these words
        auto* keys = dialog->findChild<QKeySequenceEdit*>(QStringLiteral("view.layout.reset"));
        auto* back = dialog->findChild<QToolButton*>(QStringLiteral("view.layout.reset.reset"));
        QVERIFY(keys && back && !back->isEnabled());
        QTRY_VERIFY(keys->isVisible());
        QTRY_VERIFY(!dialog->findChild<QKeySequenceEdit*>(QStringLiteral("file.quit"))->isVisible());
        QAction* action = bench.window.actions().find(QStringLiteral("view.layout.reset"));
        const QKeySequence wanted(Qt::CTRL | Qt::ALT | Qt::Key_9);
        keys->setKeySequence(wanted);
        Q_EMIT keys->editingFinished();
        QCOMPARE(action->shortcut(), wanted);
        QVERIFY(back->isEnabled());
        keys->setKeySequence(QKeySequence(Qt::CTRL | Qt::Key_K)); // the finder's
        Q_EMIT keys->editingFinished();
        QCOMPARE(action->shortcut(), wanted);
        QVERIFY(dialog->findChild<QLabel*>(QStringLiteral("shortcutNote"))->text().contains(QStringLiteral("Find action")));
        QTest::mouseClick(back, Qt::LeftButton);
        QVERIFY(action->shortcut().isEmpty() && !back->isEnabled());
    }

    // Between Start and the first points Live and Compare must not ask for what was just done.
    void aQueuedStudyIsNamedBeforeItsFirstRun() {
        Bench bench;
        const std::filesystem::path project = bench.dir.filePath(QStringLiteral("p")).toStdString();
        std::optional<qw::wire::LockFile> driver;
        {
            auto store = *qw::store::Store::open(project);
            const auto study = *store.createStudy("soon");
            std::filesystem::create_directories(study.dir);
            driver.emplace(*qw::wire::LockFile::take(study.dir / "study.lock"));
        }
        bench.session.project.open(bench.dir.filePath(QStringLiteral("p")));
        QTRY_VERIFY(bench.session.project.isOpen());
        for (const PageId id : {PageId::Live, PageId::Compare}) {
            bench.window.goTo(id);
            const auto words = [&] { return bench.window.currentPage()->findChild<QLabel*>(QStringLiteral("emptyText"))->text(); };
            QTRY_VERIFY2(words().contains(QStringLiteral("“soon” is")), qPrintable(words()));
        }
        driver.reset();
        bench.session.project.refresh();
        for (const PageId id : {PageId::Live, PageId::Compare}) {
            bench.window.goTo(id);
            const auto words = [&] { return bench.window.currentPage()->findChild<QLabel*>(QStringLiteral("emptyText"))->text(); };
            QTRY_VERIFY2(!words().contains(QStringLiteral("soon")), qPrintable(words()));
        }
    }

    void diagnosticsHavePathsOnlyWhenAsked() {
        Bench bench;
        bench.session.project.open(bench.dir.filePath(QStringLiteral("p")));
        QTRY_VERIFY(bench.session.project.isOpen());
        bench.window.actions().find(QStringLiteral("help.about"))->trigger();
        auto* dialog = bench.window.findChild<QDialog*>(QStringLiteral("aboutDialog"));
        auto* copy = dialog->findChild<QPushButton*>(QStringLiteral("copyDiagnosticsButton"));
        copy->click();
        QVERIFY(!QGuiApplication::clipboard()->text().contains(bench.dir.path()));
        dialog->findChild<QCheckBox*>(QStringLiteral("diagnosticsPaths"))->setChecked(true);
        copy->click();
        QVERIFY(QGuiApplication::clipboard()->text().contains(bench.dir.path()));
    }
};

QTEST_MAIN(MenusTest)
#include "tst_menus.moc"
