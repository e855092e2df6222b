// SPDX-License-Identifier: GPL-3.0-or-later
// What: page Live with a scripted engine and real run folders: points, pause, stop, death, leaving and coming back, NaN, tiles, keys.
#include "charts/qat_chart.h"
#include "live_fixture.h"
#include "pages/live/live_header.h"
#include "pages/live/live_page.h"
#include "pages/live/tile_board.h"
#include "theme/theme.h"

#include <QComboBox>
#include <QDialog>
#include <QLabel>
#include <QMenu>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalSpy>
#include <QToolButton>

using namespace qw;
using ui::LivePage;

namespace {

QString state(const LivePage& page) { return page.property("viewState").toString(); }
ui::QatChart& lossChart(LivePage& page) { return page.board().find(QStringLiteral("loss"))->chart(); }
QString lossLine(const test::GrowingRun& run) { return run.uid + QStringLiteral("/train.loss"); }
QWidget* bannerOf(LivePage& page) {
    for (const char* name : {"bannerError", "banner"})
        if (auto* found = page.findChild<QWidget*>(QLatin1String(name)); found && !found->isHidden()) return found;
    return nullptr;
}
QString wordsOf(QWidget* widget) {
    QStringList words;
    for (const QLabel* label : widget->findChildren<QLabel*>()) words << label->text();
    return words.join(QLatin1Char('\n'));
}
QPushButton* wayOut(QWidget* banner, const QString& start) {
    for (QPushButton* button : banner->findChildren<QPushButton*>())
        if (button->text().startsWith(start)) return button;
    return nullptr;
}
// How long this thread was kept from a processor that others used.
qint64 waitedForProcessorMs() {
    std::ifstream file("/proc/thread-self/schedstat");
    qint64 ran = 0, waited = 0;
    file >> ran >> waited;
    return waited / 1'000'000;
}
// The engine says what it writes to its log, as a real one does.
void playStep(test::LiveWorld& world, test::GrowingRun& run) {
    const auto metrics = test::liveMetrics(++run.step);
    const int64_t seq = run.append(metrics);
    world.engine.play(run.uid, metrics, seq);
}

} // namespace

class LivePageTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void emptyPageGoesToTrain() {
        test::LiveWorld world;
        LivePage page(world.session, world.actions);
        QCOMPARE(state(page), QStringLiteral("empty"));
        QSignalSpy wanted(&world.session, &ui::Session::pageWanted);
        page.show();
        auto* button = page.findChild<QPushButton*>(QStringLiteral("emptyAction"));
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(wanted.count(), 1);
        QCOMPARE(wanted[0][0].value<ui::PageId>(), ui::PageId::Train);
        QVERIFY(!world.actions.find(QStringLiteral("run.pause"))->isEnabled());
        QVERIFY(!world.actions.find(QStringLiteral("run.pause"))->property("disabledReason").toString().isEmpty());
    }

    void eventsBecomePointsInTime() {
        test::LiveWorld world;
        test::GrowingRun run(world.project, "first", 500);
        run.train(40);
        world.open();
        LivePage page(world.session, world.actions);
        page.resize(1100, 700);
        page.show();
        QTRY_COMPARE_WITH_TIMEOUT(state(page), QStringLiteral("ready"), 10'000);
        QTRY_COMPARE(lossChart(page).lastStep(lossLine(run)), int64_t{40});
        QCOMPARE(world.engine.watched.size(), 1);
        qint64 worst = 0;
        for (int i = 0; i < 20; ++i) {
            QElapsedTimer timer;
            timer.start();
            const qint64 before = waitedForProcessorMs();
            playStep(world, run);
            while (lossChart(page).lastStep(lossLine(run)) != run.step && timer.elapsed() < 2000) QCoreApplication::processEvents();
            worst = std::max(worst, timer.elapsed() - (waitedForProcessorMs() - before));
        }
        qInfo("event to point: %lld ms at most", static_cast<long long>(worst));
        QVERIFY2(worst <= 100, qPrintable(QString::number(worst)));
        world.engine.play(run.uid, wire::Progress{"train", "steps", 60, 500, 61},
                          run.append(wire::Progress{"train", "steps", 60, 500, 61}));
        auto* progress = page.findChild<QProgressBar*>(QStringLiteral("liveProgress"));
        QTRY_COMPARE(progress->format(), QStringLiteral("step 60/500"));
        auto* eta = page.findChild<QLabel*>(QStringLiteral("etaLabel"));
        QTRY_VERIFY2(eta->text().startsWith(QStringLiteral("1 min 1 s left (")), qPrintable(eta->text()));
        QVERIFY(page.findChild<QLabel*>(QStringLiteral("fakeQuantLabel"))->text().contains(QStringLiteral("11")));
        QCOMPARE(page.badge(), QStringLiteral("●"));
    }

    void pauseStopsNewPoints() {
        test::LiveWorld world;
        test::GrowingRun run(world.project, "paused", 500);
        run.train(10);
        world.open();
        LivePage page(world.session, world.actions);
        page.show();
        QTRY_COMPARE_WITH_TIMEOUT(state(page), QStringLiteral("ready"), 10'000);
        auto* button = page.findChild<QToolButton*>(QStringLiteral("pauseButton"));
        QTRY_VERIFY(button->isEnabled());
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(world.engine.asked.last().what, QStringLiteral("control"));
        QCOMPARE(world.engine.asked.last().arguments, (QStringList{world.projectDir(), run.uid, QStringLiteral("pause")}));
        world.engine.answer(QStringLiteral("control"), QByteArray("{\"accepted\":true}"));
        playStep(world, run); // the step in work is finished
        const wire::StateChange paused{records::RunState::Paused, "train", {}};
        world.engine.play(run.uid, paused, run.append(paused));
        static_cast<void>(run.log->flush());
        QTRY_COMPARE(page.run().status().state, records::RunState::Paused);
        QTRY_COMPARE(button->defaultAction()->objectName(), QStringLiteral("run.resume"));
        QTRY_VERIFY(button->isEnabled());
        const int64_t at = lossChart(page).lastStep(lossLine(run));
        QCOMPARE(at, int64_t{11});
        for (int look = 0; look < 2; ++look) { // the store has nothing new either
            QSignalSpy looked(&world.session.project, &ui::Project::changed);
            world.session.project.refresh();
            QTRY_VERIFY(!looked.isEmpty());
        }
        QCOMPARE(lossChart(page).lastStep(lossLine(run)), at);
        QVERIFY(page.findChild<QLabel*>(QStringLiteral("etaLabel"))->isHidden());
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(world.engine.asked.last().arguments.last(), QStringLiteral("resume"));
        const wire::StateChange running{records::RunState::Running, "train", {}};
        world.engine.play(run.uid, running, run.append(running));
        playStep(world, run);
        QTRY_COMPARE(lossChart(page).lastStep(lossLine(run)), int64_t{12});
    }

    void stopAsksWithThreeChoices_data() {
        QTest::addColumn<QString>("button");
        QTest::addColumn<QString>("control"); // empty: nothing is asked
        QTest::newRow("save") << QStringLiteral("stopSaveButton") << QStringLiteral("stop");
        QTest::newRow("discard") << QStringLiteral("stopDiscardButton") << QStringLiteral("stopNow");
        QTest::newRow("keep") << QStringLiteral("keepTrainingButton") << QString();
    }
    void stopAsksWithThreeChoices() {
        QFETCH(QString, button);
        QFETCH(QString, control);
        test::LiveWorld world;
        test::GrowingRun run(world.project, "stopped", 500);
        run.train(10);
        world.open();
        LivePage page(world.session, world.actions);
        page.show();
        QTRY_COMPARE_WITH_TIMEOUT(state(page), QStringLiteral("ready"), 10'000);
        QAction* stop = world.actions.find(QStringLiteral("run.stop"));
        QCOMPARE(stop->shortcut(), QKeySequence(Qt::SHIFT | Qt::Key_F5));
        QTRY_VERIFY(stop->isEnabled());
        stop->trigger();
        auto* dialog = page.findChild<QDialog*>(QStringLiteral("stopDialog"));
        QVERIFY(dialog);
        QVERIFY(dialog->isVisible());
        const auto asked = world.engine.asked.size();
        QTest::mouseClick(dialog->findChild<QPushButton*>(button), Qt::LeftButton);
        QTRY_VERIFY(!page.findChild<QDialog*>(QStringLiteral("stopDialog")));
        QCOMPARE(world.engine.asked.size(), asked + (control.isEmpty() ? 0 : 1));
        if (!control.isEmpty()) QCOMPARE(world.engine.asked.last().arguments.last(), control);
    }

    void aKilledEngineIsExplained() {
        test::LiveWorld world;
        test::GrowingRun run(world.project, "killed", 500);
        run.train(10);
        run.append(wire::LogLine{1, "this is what it said last", 0});
        run.train(2);
        world.open();
        LivePage page(world.session, world.actions);
        page.show();
        QTRY_COMPARE_WITH_TIMEOUT(state(page), QStringLiteral("ready"), 10'000);
        // Its last checkpoint got to the disk; the word of it did not get to the log.
        std::filesystem::create_directories(run.folder.dir / "checkpoints/step_10");
        test::writeText(run.folder.dir / "checkpoints/step_10/MANIFEST.json", "{}");
        run.die();
        world.engine.die(run.uid, QStringLiteral("the engine is gone"));
        QTRY_COMPARE_WITH_TIMEOUT(state(page), QStringLiteral("error"), 10'000);
        QWidget* banner = bannerOf(page);
        QVERIFY(banner);
        QCOMPARE(banner->objectName(), QStringLiteral("bannerError"));
        QCOMPARE(banner->property("code").toString(), QStringLiteral("engine.lost"));
        const QString words = wordsOf(banner);
        QVERIFY2(words.contains(QStringLiteral("interrupted")) && words.contains(QStringLiteral("step 12")), qPrintable(words));
        QVERIFY2(words.contains(QStringLiteral("this is what it said last")), qPrintable(words));
        QPushButton* resume = wayOut(banner, QStringLiteral("Resume from step 10"));
        QVERIFY(resume);
        QVERIFY(resume->isEnabled());
        QVERIFY(wayOut(banner, QStringLiteral("Edit settings")));
        QVERIFY(wayOut(banner, QStringLiteral("Copy details")));
        QCOMPARE(lossChart(page).lastStep(lossLine(run)), int64_t{12}); // what was shown stays
        QTest::mouseClick(resume, Qt::LeftButton);
        QCOMPARE(world.engine.asked.last().what, QStringLiteral("command")); // no study: the run itself
        QVERIFY(world.engine.asked.last().arguments.contains(run.uid));
        QVERIFY(world.engine.asked.last().arguments.contains(QStringLiteral("resume")));
    }

    void leavingAndComingBackLosesNoStep() {
        test::LiveWorld world;
        test::GrowingRun run(world.project, "left alone", 500);
        run.train(20);
        world.open();
        std::vector<std::pair<wire::Metrics, int64_t>> said;
        const auto step = [&] {
            const auto metrics = test::liveMetrics(++run.step);
            said.emplace_back(metrics, run.append(metrics));
        };
        {
            LivePage first(world.session, world.actions);
            first.show();
            QTRY_COMPARE_WITH_TIMEOUT(state(first), QStringLiteral("ready"), 10'000);
            for (int i = 0; i < 5; ++i) playStep(world, run);
            QTRY_COMPARE(lossChart(first).lastStep(lossLine(run)), int64_t{25});
        }
        for (int i = 0; i < 15; ++i) step(); // nobody watches
        static_cast<void>(run.log->flush());
        test::FakeEngineClient engine;
        ui::Session session(world.settings, engine);
        ui::ActionRegistry actions(world.settings);
        session.project.open(world.projectDir());
        LivePage second(session, actions);
        second.show();
        QTRY_COMPARE_WITH_TIMEOUT(state(second), QStringLiteral("ready"), 10'000);
        // The engine sends all that is in its log, known or not, and then goes on.
        wire::EventLogReader log(run.folder.events());
        const auto records = log.read();
        QVERIFY(records);
        for (const auto& record : *records) engine.play(run.uid, wire::eventFromJson(record.json)->payload, record.seq);
        for (int i = 0; i < 5; ++i) {
            step();
            engine.play(run.uid, said.back().first, said.back().second);
        }
        QTRY_COMPARE(lossChart(second).lastStep(lossLine(run)), int64_t{45});
        const ui::LiveCurve* curve = second.run().series().curve("train.loss");
        QVERIFY(curve);
        QCOMPARE(curve->steps.size(), size_t{45});
        for (size_t i = 0; i < 45; ++i) QCOMPARE(curve->steps[i], static_cast<int64_t>(i + 1));
        for (size_t i = 0; i < 45; ++i) QVERIFY(std::abs(curve->values[i] - test::liveLoss(static_cast<int64_t>(i + 1))) < 1e-6);
    }

    void aNumberThatIsNotFiniteNamesThePolicy_data() {
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("policy");
        QTest::newRow("skipped") << QStringLiteral("warning.nonfinite_skipped") << QStringLiteral("Policy taken: skip");
        QTest::newRow("rolled back") << QStringLiteral("warning.rollback") << QStringLiteral("Policy taken: roll back");
        QTest::newRow("no warning came") << QString() << QStringLiteral("Policy taken: skip"); // of its recipe
    }
    void aNumberThatIsNotFiniteNamesThePolicy() {
        QFETCH(QString, code);
        QFETCH(QString, policy);
        test::LiveWorld world;
        test::GrowingRun run(world.project, "nan", 500);
        run.train(10);
        world.open();
        LivePage page(world.session, world.actions);
        page.show();
        QTRY_COMPARE_WITH_TIMEOUT(state(page), QStringLiteral("ready"), 10'000);
        if (!code.isEmpty()) {
            const wire::Notice notice{false, code.toStdString(), "step 10: the loss is not a finite number", "lower optim.lr", {}};
            world.engine.play(run.uid, notice, run.append(notice));
        }
        const wire::Metrics bad{++run.step, {{"train.loss", NAN}}, 0, {}};
        world.engine.play(run.uid, bad, run.append(bad));
        QTRY_VERIFY(bannerOf(page));
        QVERIFY2(wordsOf(bannerOf(page)).contains(policy), qPrintable(wordsOf(bannerOf(page))));
        QCOMPARE(state(page), QStringLiteral("ready"));
        QVERIFY(std::isnan(page.run().series().last("train.loss")));
    }

    void aFullDiskNamesThePolicy_data() {
        QTest::addColumn<QByteArray>("recipe");
        QTest::addColumn<bool>("isError"); // of a checkpoint; else of the event log
        QTest::addColumn<QString>("policy");
        QTest::newRow("checkpoint") << QByteArray("{}") << true << QStringLiteral("Policy taken: pause");
        QTest::newRow("checkpoint, goes on") << QByteArray("{\"on_disk_full\":\"continue\"}") << true
                                             << QStringLiteral("Policy taken: continue");
        QTest::newRow("log") << QByteArray("{\"on_disk_full\":\"continue\"}") << false << QStringLiteral("Policy taken: pause");
    }
    void aFullDiskNamesThePolicy() {
        QFETCH(QByteArray, recipe);
        QFETCH(bool, isError);
        QFETCH(QString, policy);
        test::LiveWorld world;
        test::GrowingRun run(world.project, "full", 500, {}, "{\"recipe\":1,\"checkpoint\":" + recipe.toStdString() + "}");
        run.train(10);
        world.open();
        LivePage page(world.session, world.actions);
        page.show();
        QTRY_COMPARE_WITH_TIMEOUT(state(page), QStringLiteral("ready"), 10'000);
        const wire::Notice notice{isError, "disk.full", "no space left", "free some space", {}};
        world.engine.play(run.uid, notice, run.append(notice));
        QTRY_VERIFY(bannerOf(page));
        QCOMPARE(bannerOf(page)->property("code").toString(), QStringLiteral("disk.full"));
        QVERIFY2(wordsOf(bannerOf(page)).contains(policy), qPrintable(wordsOf(bannerOf(page))));
        QCOMPARE(state(page), QStringLiteral("ready"));
    }

    void tilesMoveGoAndComeBack() {
        test::LiveWorld world;
        test::GrowingRun run(world.project, "tiles", 500);
        run.train(10);
        world.open();
        const auto ids = [](LivePage& page) {
            QStringList found;
            for (const auto* tile : page.board().tiles()) found << tile->spec().id;
            return found;
        };
        QStringList arranged;
        {
            LivePage page(world.session, world.actions);
            page.resize(1200, 700);
            page.show();
            QTRY_COMPARE_WITH_TIMEOUT(state(page), QStringLiteral("ready"), 10'000);
            QCOMPARE(ids(page), ui::defaultTiles());
            const auto menuAction = [&](const QString& tile, const QString& action) {
                for (QAction* one :
                     page.board().find(tile)->findChild<QToolButton*>(QStringLiteral("tile_%1.menu").arg(tile))->menu()->actions())
                    if (one->text().startsWith(action)) return one;
                return static_cast<QAction*>(nullptr);
            };
            menuAction(QStringLiteral("lr"), QStringLiteral("Move earlier"))->trigger();
            menuAction(QStringLiteral("memory"), QStringLiteral("Remove"))->trigger();
            auto* add = page.findChild<QToolButton*>(QStringLiteral("addTileButton"));
            for (QAction* one : add->menu()->actions())
                if (one->text() == QStringLiteral("Time of a step")) {
                    one->trigger();
                    break;
                }
            arranged = ids(page);
            QVERIFY(arranged.indexOf(QStringLiteral("lr")) < arranged.indexOf(QStringLiteral("grad_norm")));
            QVERIFY(!arranged.contains(QStringLiteral("memory")));
            QCOMPARE(arranged.last(), QStringLiteral("times"));
            QVERIFY(page.board().find(QStringLiteral("times"))->chart().hasSeries(run.uid + QStringLiteral("/time.total")));
            for (const auto* one : page.board().tiles())
                for (const auto* other : page.board().tiles())
                    if (one != other)
                        QVERIFY2(!one->geometry().intersects(other->geometry()), qPrintable(one->spec().id + other->spec().id));
            auto* tile = page.board().find(QStringLiteral("grad_norm"));
            menuAction(QStringLiteral("grad_norm"), QStringLiteral("Full page"))->trigger();
            QCOMPARE(page.board().fullPage(), tile);
            QVERIFY(!page.board().find(QStringLiteral("loss"))->isVisible());
            QTest::keyClick(&page, Qt::Key_Escape);
            QTRY_VERIFY(!page.board().fullPage());
            QVERIFY(page.board().find(QStringLiteral("loss"))->isVisible());
        }
        ui::ActionRegistry actions(world.settings);
        LivePage again(world.session, actions);
        QCOMPARE(ids(again), arranged);
    }

    void earlierRunsLieBehind() {
        test::LiveWorld world;
        test::GrowingRun old(world.project, "earlier", 30);
        old.train(30);
        old.finish();
        test::GrowingRun run(world.project, "now", 500);
        run.train(10);
        world.open();
        LivePage page(world.session, world.actions);
        page.show();
        QTRY_COMPARE_WITH_TIMEOUT(state(page), QStringLiteral("ready"), 10'000);
        QCOMPARE(page.run().uid(), run.uid); // the one in work
        auto* overlays = page.findChild<QToolButton*>(QStringLiteral("overlayButton"));
        QTRY_COMPARE(overlays->menu()->actions().size(), 1);
        overlays->menu()->actions().first()->trigger();
        QTRY_COMPARE(lossChart(page).lastStep(lossLine(old)), int64_t{30});
        QVERIFY(lossChart(page).colourOf(lossLine(old)) != lossChart(page).colourOf(lossLine(run)));
        auto* picker = page.findChild<QComboBox*>(QStringLiteral("runPicker"));
        const int index = picker->findData(old.uid);
        QVERIFY(index > 0);
        picker->setCurrentIndex(index);
        Q_EMIT picker->activated(index);
        QTRY_COMPARE(page.run().uid(), old.uid);
        QTRY_COMPARE(page.findChild<QLabel*>(QStringLiteral("liveState"))->text(), QStringLiteral("Done"));
        QTRY_COMPARE(lossChart(page).lastStep(lossLine(old)), int64_t{30});
        QVERIFY(world.engine.watched.isEmpty()); // nothing to hear of an ended run
    }

    void everyControlHasAName() {
        test::LiveWorld world;
        test::GrowingRun run(world.project, "names", 500);
        run.train(30);
        world.open();
        LivePage page(world.session, world.actions);
        page.resize(1280, 760);
        page.show();
        QTRY_COMPARE_WITH_TIMEOUT(state(page), QStringLiteral("ready"), 10'000);
        for (const QWidget* widget : page.findChildren<QWidget*>()) {
            if (widget->focusPolicy() == Qt::NoFocus || !widget->isVisible()) continue;
            const auto* button = qobject_cast<const QAbstractButton*>(widget);
            const QString name = !widget->accessibleName().isEmpty() ? widget->accessibleName() : button ? button->text() : QString();
            QVERIFY2(!name.isEmpty(),
                     qPrintable(QStringLiteral("%1 %2").arg(QLatin1String(widget->metaObject()->className()), widget->objectName())));
        }
    }
};

QTEST_MAIN(LivePageTest)
#include "tst_live_page.moc"
