// SPDX-License-Identifier: GPL-3.0-or-later
// What: page Live when things go wrong: an engine that died, numbers that are not finite, a full disk, each with the policy taken.
#include "live_page_fixture.h"

using namespace qw;

class LiveTroubleTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aKilledEngineIsExplained() {
        test::LiveScene scene;
        scene.run.append(wire::LogLine{1, "this is what it said last", 0});
        scene.run.train(2);
        scene.show();
        // Its last checkpoint got to the disk; the word of it did not get to the log.
        std::filesystem::create_directories(scene.run.folder.dir / "checkpoints/step_10");
        test::writeText(scene.run.folder.dir / "checkpoints/step_10/MANIFEST.json", "{}");
        scene.run.die();
        scene.engine.die(scene.run.uid, QStringLiteral("the engine is gone"));
        QTRY_COMPARE_WITH_TIMEOUT(scene.state(), QStringLiteral("error"), 10'000);
        QWidget* banner = scene.banner();
        QVERIFY(banner);
        QCOMPARE(banner->objectName(), QStringLiteral("bannerError"));
        QCOMPARE(banner->property("code").toString(), QStringLiteral("engine.lost"));
        const QString words = scene.bannerText();
        QVERIFY2(words.contains(QStringLiteral("interrupted")) && words.contains(QStringLiteral("step 12")), qPrintable(words));
        QVERIFY2(words.contains(QStringLiteral("this is what it said last")), qPrintable(words));
        QPushButton* resume = scene.wayOut(QStringLiteral("Resume from step 10"));
        QVERIFY(resume);
        QVERIFY(resume->isEnabled());
        QVERIFY(scene.wayOut(QStringLiteral("Edit settings")));
        QVERIFY(scene.wayOut(QStringLiteral("Copy details")));
        QCOMPARE(scene.lastStep(), int64_t{12}); // what was shown stays
        QTest::mouseClick(resume, Qt::LeftButton);
        QCOMPARE(scene.engine.asked.last().what, QStringLiteral("command")); // no study: the run itself
        QVERIFY(scene.engine.asked.last().arguments.contains(scene.run.uid));
        QVERIFY(scene.engine.asked.last().arguments.contains(QStringLiteral("resume")));
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
        test::LiveScene scene;
        scene.show();
        if (!code.isEmpty()) {
            scene.play(wire::Notice{false, code.toStdString(), "step 10: the loss is not a finite number", "lower optim.lr", {}});
        }
        scene.play(wire::Metrics{++scene.run.step, {{"train.loss", NAN}}, 0, {}});
        QTRY_VERIFY(scene.banner());
        QVERIFY2(scene.bannerText().contains(policy), qPrintable(scene.bannerText()));
        QCOMPARE(scene.state(), QStringLiteral("ready"));
        QVERIFY(std::isnan(scene.page->run().series().last("train.loss")));
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
        test::LiveScene scene(10, "{\"recipe\":1,\"checkpoint\":" + recipe.toStdString() + "}");
        scene.show();
        scene.play(wire::Notice{isError, "disk.full", "no space left", "free some space", {}});
        QTRY_VERIFY(scene.banner());
        QCOMPARE(scene.banner()->property("code").toString(), QStringLiteral("disk.full"));
        QVERIFY2(scene.bannerText().contains(policy), qPrintable(scene.bannerText()));
        QCOMPARE(scene.state(), QStringLiteral("ready"));
    }
};

QTEST_MAIN(LiveTroubleTest)
#include "tst_live_trouble.moc"
