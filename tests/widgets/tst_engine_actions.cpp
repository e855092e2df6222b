// SPDX-License-Identifier: GPL-3.0-or-later
// What: Tools > Engine on the run that page Live shows: restart with a checkpoint, attach again.
#include "live_page_fixture.h"

#include <QSignalSpy>
#include <QTest>

using namespace qw;
using ui::LivePage;

class EngineActionsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void restartEndsTheEngineThenGoesOn() {
        test::LiveScene world;
        world.show();
        test::GrowingRun& run = world.run;
        QAction* restart = world.actions.find(QStringLiteral("tools.engine.restart"));
        QTRY_VERIFY(restart->isEnabled());
        restart->trigger();
        QCOMPARE(world.engine.asked.last().arguments, (QStringList{world.projectPath(), run.uid, QStringLiteral("stop")}));
        QVERIFY(!restart->isEnabled()); // not twice
        world.engine.answer(QStringLiteral("control"), QByteArray("{\"accepted\":true}"));
        const auto asked = world.engine.asked.size();
        const wire::StateChange stopped{records::RunState::Stopped, {}, {}};
        const auto seq = run.append(stopped);
        run.die();
        world.engine.play(run.uid, stopped, seq);
        world.session.project.refresh();
        QTRY_VERIFY_WITH_TIMEOUT(world.engine.asked.size() > asked, 10'000);
        QCOMPARE(world.engine.asked.last().what, QStringLiteral("command"));
        QCOMPARE(world.engine.asked.last().arguments.mid(0, 2), (QStringList{QStringLiteral("resume"), run.uid}));
        QCOMPARE(world.engine.asked.size(), asked + 1);
    }

    void aRefusedRestartAsksForNothingMore() {
        test::LiveScene world;
        world.show();
        test::GrowingRun& run = world.run;
        QAction* restart = world.actions.find(QStringLiteral("tools.engine.restart"));
        QTRY_VERIFY(restart->isEnabled());
        restart->trigger();
        world.engine.answer(QStringLiteral("control"), Error{"engine.busy", "it does not listen", "", "", true});
        QTRY_VERIFY(restart->isEnabled());
        const auto asked = world.engine.asked.size();
        run.finish();
        QSignalSpy looked(&world.session.project, &ui::Project::changed);
        world.session.project.refresh();
        QTRY_VERIFY(!looked.isEmpty());
        QCOMPARE(world.engine.asked.size(), asked);
    }

    void attachWatchesTheEngineAnew() {
        test::Desk world;
        LivePage page(world.session, world.actions);
        QAction* attach = world.actions.find(QStringLiteral("tools.engine.attach"));
        QVERIFY(!attach->isEnabled() && !attach->property("disabledReason").toString().isEmpty());
        test::GrowingRun run(world.project(), "lost", 500);
        run.train(10);
        QVERIFY(world.open());
        page.show();
        QTRY_COMPARE_WITH_TIMEOUT(test::stateOf(page), QStringLiteral("ready"), 10'000);
        QTRY_COMPARE(world.engine.watched.size(), 1);
        world.engine.watched.clear();
        attach->trigger();
        QTRY_COMPARE_WITH_TIMEOUT(test::stateOf(page), QStringLiteral("ready"), 10'000);
        QTRY_COMPARE(world.engine.watched.size(), 1);
        QCOMPARE(world.engine.watched.first().uid, run.uid);
        QCOMPARE(page.run().series().curve("train.loss")->steps.size(), size_t(10)); // none doubled
    }
};

QTEST_MAIN(EngineActionsTest)
#include "tst_engine_actions.moc"
