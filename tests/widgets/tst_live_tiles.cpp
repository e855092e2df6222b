// SPDX-License-Identifier: GPL-3.0-or-later
// What: what page Live shows side by side: tiles that move, go and come back, earlier runs behind the one in work.
#include "live_page_fixture.h"

#include <QComboBox>
#include <QMenu>
#include <QToolButton>

using namespace qw;
using test::lossChart;
using test::lossLine;
using test::stateOf;
using ui::LivePage;

class LiveTilesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tilesMoveGoAndComeBack() {
        test::LiveScene scene;
        scene.show();
        const auto ids = [](LivePage& page) {
            QStringList found;
            for (const auto* tile : page.board().tiles()) found << tile->spec().id;
            return found;
        };
        QCOMPARE(ids(*scene.page), ui::defaultTiles());
        const auto menuAction = [&](const QString& tile, const QString& action) {
            for (QAction* one :
                 scene.page->board().find(tile)->findChild<QToolButton*>(QStringLiteral("tile_%1.menu").arg(tile))->menu()->actions())
                if (one->text().startsWith(action)) return one;
            return static_cast<QAction*>(nullptr);
        };
        menuAction(QStringLiteral("lr"), QStringLiteral("Move earlier"))->trigger();
        menuAction(QStringLiteral("memory"), QStringLiteral("Remove"))->trigger();
        auto* add = scene.find<QToolButton>("addTileButton");
        for (QAction* one : add->menu()->actions())
            if (one->text() == QStringLiteral("Time of a step")) {
                one->trigger();
                break;
            }
        const QStringList arranged = ids(*scene.page);
        QVERIFY(arranged.indexOf(QStringLiteral("lr")) < arranged.indexOf(QStringLiteral("grad_norm")));
        QVERIFY(!arranged.contains(QStringLiteral("memory")));
        QCOMPARE(arranged.last(), QStringLiteral("times"));
        QVERIFY(scene.page->board().find(QStringLiteral("times"))->chart().hasSeries(scene.run.uid + QStringLiteral("/time.total")));
        for (const auto* one : scene.page->board().tiles())
            for (const auto* other : scene.page->board().tiles())
                if (one != other) QVERIFY2(!one->geometry().intersects(other->geometry()), qPrintable(one->spec().id + other->spec().id));
        auto* tile = scene.page->board().find(QStringLiteral("grad_norm"));
        menuAction(QStringLiteral("grad_norm"), QStringLiteral("Full page"))->trigger();
        QCOMPARE(scene.page->board().fullPage(), tile);
        QVERIFY(!scene.page->board().find(QStringLiteral("loss"))->isVisible());
        QTest::keyClick(scene.page.get(), Qt::Key_Escape);
        QTRY_VERIFY(!scene.page->board().fullPage());
        QVERIFY(scene.page->board().find(QStringLiteral("loss"))->isVisible());
        scene.page.reset();
        ui::ActionRegistry actions(scene.settings);
        LivePage again(scene.session, actions);
        QCOMPARE(ids(again), arranged);
    }

    void earlierRunsLieBehind() {
        test::Desk world;
        test::GrowingRun old(world.project(), "earlier", 30);
        old.train(30);
        old.finish();
        test::GrowingRun run(world.project(), "now", 500);
        run.train(10);
        QVERIFY(world.open());
        LivePage page(world.session, world.actions);
        page.show();
        QTRY_COMPARE_WITH_TIMEOUT(stateOf(page), QStringLiteral("ready"), 10'000);
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
};

QTEST_MAIN(LiveTilesTest)
#include "tst_live_tiles.moc"
