// SPDX-License-Identifier: GPL-3.0-or-later
// What: the run that the Live page follows, over the death of its engine.
#include "desk.h"
#include "live_fixture.h"
#include "models/live_run.h"

using namespace qw;
using namespace qw::ui;

class LiveRunTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    // The next attempt counts its events on from the log; what was heard but never got there must not hide them.
    void whatTheLogNeverGotIsHeardAgain() {
        test::Desk world;
        test::GrowingRun run(world.project(), "killed", 500);
        run.train(10);
        const int64_t inLog = run.log->lastSeq();
        QVERIFY(world.open());
        LiveRun live(world.session);
        live.show(run.uid);
        QTRY_VERIFY_WITH_TIMEOUT(world.engine.watchedAfter.contains(run.uid), 10'000);
        for (int64_t step = 11; step <= 20; ++step) world.engine.play(run.uid, test::liveMetrics(step), inLog + step);
        QCOMPARE(live.series().curve("train.loss")->steps.back(), int64_t{20});
        run.die();
        world.engine.die(run.uid, QStringLiteral("the engine is gone"));
        Q_EMIT world.session.project.changed(); // before the curve is read anew; the snapshot still takes the run for a living one
        QTRY_COMPARE_WITH_TIMEOUT(live.series().curve("train.loss")->steps.back(), int64_t{10}, 10'000);
        QCOMPARE(world.engine.watchedAfter.value(run.uid, live.series().seq()), live.series().seq());
        QVERIFY(live.series().seq() <= inLog);
    }
};

QTEST_GUILESS_MAIN(LiveRunTest)
#include "tst_live_run.moc"
