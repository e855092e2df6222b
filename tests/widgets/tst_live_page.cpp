// SPDX-License-Identifier: GPL-3.0-or-later
// What: page Live with a scripted engine and real run folders: points, pause, stop, leaving and coming back, names.
#include "live_page_fixture.h"

#include <QDialog>
#include <QProgressBar>
#include <QSignalSpy>
#include <QToolButton>

using namespace qw;
using test::stateOf;
using ui::LivePage;

namespace {

// How long this thread was kept from a processor that others used.
qint64 waitedForProcessorMs() {
    std::ifstream file("/proc/thread-self/schedstat");
    qint64 ran = 0, waited = 0;
    file >> ran >> waited;
    return waited / 1'000'000;
}

} // namespace

class LivePageTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void emptyPageGoesToTrain() {
        test::Desk world;
        LivePage page(world.session, world.actions);
        QCOMPARE(stateOf(page), QStringLiteral("empty"));
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
        test::LiveScene scene(40);
        scene.show();
        QTRY_COMPARE(scene.lastStep(), int64_t{40});
        QCOMPARE(scene.engine.watched.size(), 1);
        qint64 worst = 0;
        for (int i = 0; i < 20; ++i) {
            QElapsedTimer timer;
            timer.start();
            const qint64 before = waitedForProcessorMs();
            scene.playStep();
            while (scene.lastStep() != scene.run.step && timer.elapsed() < 2000) QCoreApplication::processEvents();
            worst = std::max(worst, timer.elapsed() - (waitedForProcessorMs() - before));
        }
        qInfo("event to point: %lld ms at most", static_cast<long long>(worst));
        QVERIFY2(worst <= 100, qPrintable(QString::number(worst)));
        scene.play(wire::Progress{"train", "steps", 60, 500, 61});
        auto* progress = scene.find<QProgressBar>("liveProgress");
        QTRY_COMPARE(progress->format(), QStringLiteral("step 60/500"));
        auto* eta = scene.find<QLabel>("etaLabel");
        QTRY_VERIFY2(eta->text().startsWith(QStringLiteral("1 min 1 s left (")), qPrintable(eta->text()));
        QVERIFY(scene.find<QLabel>("fakeQuantLabel")->text().contains(QStringLiteral("11")));
        QCOMPARE(scene.page->badge(), QStringLiteral("●"));
    }

    void pauseStopsNewPoints() {
        test::LiveScene scene;
        scene.show();
        auto* button = scene.find<QToolButton>("pauseButton");
        QTRY_VERIFY(button->isEnabled());
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(scene.engine.asked.last().what, QStringLiteral("control"));
        QCOMPARE(scene.engine.asked.last().arguments, (QStringList{scene.projectPath(), scene.run.uid, QStringLiteral("pause")}));
        scene.engine.answer(QStringLiteral("control"), QByteArray("{\"accepted\":true}"));
        scene.playStep(); // the step in work is finished
        scene.play(wire::StateChange{records::RunState::Paused, "train", {}});
        static_cast<void>(scene.run.log->flush());
        QTRY_COMPARE(scene.page->run().status().state, records::RunState::Paused);
        QTRY_COMPARE(button->defaultAction()->objectName(), QStringLiteral("run.resume"));
        QTRY_VERIFY(button->isEnabled());
        const int64_t at = scene.lastStep();
        QCOMPARE(at, int64_t{11});
        for (int look = 0; look < 2; ++look) { // the store has nothing new either
            QSignalSpy looked(&scene.session.project, &ui::Project::changed);
            scene.session.project.refresh();
            QTRY_VERIFY(!looked.isEmpty());
        }
        QCOMPARE(scene.lastStep(), at);
        QVERIFY(scene.find<QLabel>("etaLabel")->isHidden());
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(scene.engine.asked.last().arguments.last(), QStringLiteral("resume"));
        scene.play(wire::StateChange{records::RunState::Running, "train", {}});
        scene.playStep();
        QTRY_COMPARE(scene.lastStep(), int64_t{12});
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
        test::LiveScene scene;
        scene.show();
        QAction* stop = scene.actions.find(QStringLiteral("run.stop"));
        QCOMPARE(stop->shortcut(), QKeySequence(Qt::SHIFT | Qt::Key_F5));
        QTRY_VERIFY(stop->isEnabled());
        stop->trigger();
        auto* dialog = scene.find<QDialog>("stopDialog");
        QVERIFY(dialog);
        QVERIFY(dialog->isVisible());
        const auto asked = scene.engine.asked.size();
        QTest::mouseClick(dialog->findChild<QPushButton*>(button), Qt::LeftButton);
        QTRY_VERIFY(!scene.find<QDialog>("stopDialog"));
        QCOMPARE(scene.engine.asked.size(), asked + (control.isEmpty() ? 0 : 1));
        if (!control.isEmpty()) QCOMPARE(scene.engine.asked.last().arguments.last(), control);
    }

    void leavingAndComingBackLosesNoStep() {
        test::LiveScene scene(20);
        scene.show();
        std::vector<std::pair<wire::Metrics, int64_t>> said;
        const auto step = [&] {
            const auto metrics = test::liveMetrics(++scene.run.step);
            said.emplace_back(metrics, scene.run.append(metrics));
        };
        for (int i = 0; i < 5; ++i) scene.playStep();
        QTRY_COMPARE(scene.lastStep(), int64_t{25});
        scene.page.reset();
        for (int i = 0; i < 15; ++i) step(); // nobody watches
        static_cast<void>(scene.run.log->flush());
        test::FakeEngineClient engine;
        ui::Session session(scene.settings, engine);
        ui::ActionRegistry actions(scene.settings);
        session.project.open(scene.projectPath());
        LivePage second(session, actions);
        second.show();
        QTRY_COMPARE_WITH_TIMEOUT(stateOf(second), QStringLiteral("ready"), 10'000);
        // The engine sends all that is in its log, known or not, and then goes on.
        wire::EventLogReader log(scene.run.folder.events());
        const auto records = log.read();
        QVERIFY(records);
        for (const auto& record : *records) engine.play(scene.run.uid, wire::eventFromJson(record.json)->payload, record.seq);
        for (int i = 0; i < 5; ++i) {
            step();
            engine.play(scene.run.uid, said.back().first, said.back().second);
        }
        QTRY_COMPARE(test::lossChart(second).lastStep(test::lossLine(scene.run)), int64_t{45});
        const ui::LiveCurve* curve = second.run().series().curve("train.loss");
        QVERIFY(curve);
        QCOMPARE(curve->steps.size(), size_t{45});
        for (size_t i = 0; i < 45; ++i) QCOMPARE(curve->steps[i], static_cast<int64_t>(i + 1));
        for (size_t i = 0; i < 45; ++i) QVERIFY(std::abs(curve->values[i] - test::liveLoss(static_cast<int64_t>(i + 1))) < 1e-6);
    }

    void everyControlHasAName() {
        test::LiveScene scene(30);
        scene.show();
        for (const QWidget* widget : scene.page->findChildren<QWidget*>()) {
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
