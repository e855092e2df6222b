// SPDX-License-Identifier: GPL-3.0-or-later
// What: the queue's dock on a real store with real study folders and locks: order, restart, pause, retry, remove.
#include "config/recipe_file.h"
#include "docks/queue_dock.h"
#include "runs_fixture.h"
#include "study/study_file.h"

#include <QAbstractItemModelTester>
#include <QLabel>
#include <QPushButton>
#include <QTreeView>

using namespace qw;
using namespace qw::ui;

namespace {

constexpr const char* kRecipe =
    "recipe: 1\nname: %1\nmodel: {path: m}\ntrain: {max_steps: 10}\neval: {tasks: [{name: people, path: p.jsonl, mode: hellaswag}]}\n"
    "schemes: [{name: w4, preset: 8da4w}]\n";

study::Study makeStudy(store::Store& store, const char* name) {
    const std::string yaml = QString::fromLatin1(kRecipe).arg(QString::fromLatin1(name)).toStdString();
    const auto recipe = *config::parseRecipe(yaml, "r.yaml");
    auto study = *study::makeStudy(recipe, yaml, {});
    const auto info = *store.createStudy(name);
    if (!study::writeStudy(study, info.uid, info.dir, info.createdMs)) qFatal("no study");
    return study;
}

} // namespace

class QueueDockTest : public QObject {
    Q_OBJECT

    struct Scene : test::Desk {
        std::vector<study::Study> studies;
        std::unique_ptr<QueueDock> dock;
        Scene() {
            std::filesystem::create_directories(project());
            auto store = *store::Store::open(project());
            for (const char* name : {"one", "two", "three"}) {
                studies.push_back(makeStudy(store, name));
                if (!store.enqueue(studies.back().uid)) qFatal("no queue");
            }
        }
        bool start() {
            if (!open()) return false;
            dock = std::make_unique<QueueDock>(session, actions);
            dock->show();
            return QTest::qWaitFor([this] { return dock->model().rowCount() == int(studies.size()); }, 10'000);
        }
        [[nodiscard]] QStringList names() const {
            QStringList list;
            for (const auto& study : dock->model().studies()) list << study.name;
            return list;
        }
        void select(int row) { tree().setCurrentIndex(dock->model().index(row, 0)); }
        [[nodiscard]] QTreeView& tree() const { return *dock->findChild<QTreeView*>(QStringLiteral("queueTree")); }
        QAction& action(const char* id) { return *actions.find(QString::fromLatin1(id)); }
    };

private Q_SLOTS:
    void emptyQueueLeadsToTrain() {
        test::Desk desk;
        QueueDock dock(desk.session, desk.actions);
        QSignalSpy spy(&desk.session, &Session::pageWanted);
        dock.findChild<QPushButton*>(QStringLiteral("emptyAction"))->click();
        QCOMPARE(spy.size(), 1);
        QCOMPARE(desk.actions.find(QStringLiteral("queue.pause"))->property("disabledReason").toString(),
                 QStringLiteral("no project is open"));
    }
    void studiesWithTheirMembers() {
        Scene s;
        auto lock = *wire::LockFile::take(s.studies[0].dir / "study.lock");
        QVERIFY(s.start());
        const QAbstractItemModelTester tester(&s.dock->model(), QAbstractItemModelTester::FailureReportingMode::Fatal);
        QCOMPARE(s.names(), (QStringList{QStringLiteral("one"), QStringLiteral("two"), QStringLiteral("three")}));
        const auto& one = s.dock->model().studies()[0];
        QVERIFY(one.driven && !s.dock->model().studies()[1].driven);
        QCOMPARE(one.members.size(), size_t(4)); // float, float trained, PTQ, QAT
        QStringList baselines;
        for (const auto& member : one.members)
            if (member.baseline) baselines << member.name;
        QCOMPARE(baselines, QStringList{QStringLiteral("w4 PTQ")});
        QCOMPARE(s.dock->findChild<QLabel*>(QStringLiteral("queueState"))->text(), QStringLiteral("0 running, 4 waiting"));
    }
    // ui.md 4.7: the order survives a restart.
    void orderSurvivesARestart() {
        Scene s;
        QVERIFY(s.start());
        s.select(2);
        s.action("queue.up").trigger();
        QTRY_COMPARE(s.names(), (QStringList{QStringLiteral("one"), QStringLiteral("three"), QStringLiteral("two")}));
        QMimeData* dragged = s.dock->model().mimeData({s.dock->model().index(2, 0)});
        s.dock->model().dropMimeData(dragged, Qt::MoveAction, 0, 0, {});
        delete dragged;
        const QStringList want{QStringLiteral("two"), QStringLiteral("one"), QStringLiteral("three")};
        QTRY_COMPARE(s.names(), want);
        s.dock.reset();
        s.session.project.close();
        {
            const auto store = *store::Store::open(s.project());
            QCOMPARE(*store.queueOrder(), (std::vector<std::string>{s.studies[1].uid, s.studies[0].uid, s.studies[2].uid}));
        }
        QVERIFY(s.open());
        ActionRegistry fresh(s.settings);
        QueueDock again(s.session, fresh);
        again.show();
        QTRY_COMPARE(again.model().rowCount(), 3);
        QCOMPARE(again.model().studies()[0].name, QStringLiteral("two"));
    }
    void pauseIsAFlagOfTheProject() {
        Scene s;
        QVERIFY(s.start());
        s.action("queue.pause").trigger();
        QTRY_COMPARE(*store::Store::open(s.project())->flag("queue.paused"), std::string("1"));
        QTRY_VERIFY(s.dock->findChild<QLabel*>(QStringLiteral("queueState"))->text().startsWith(QStringLiteral("Paused")));
        QVERIFY(s.action("queue.pause").isChecked());
        s.action("queue.pause").trigger();
        QTRY_COMPARE(*store::Store::open(s.project())->flag("queue.paused"), std::string());
        QTRY_VERIFY(!s.action("queue.pause").isChecked());
    }
    void shortDiskIsSaid() {
        Scene s;
        s.settings.setValue(QStringLiteral("storage/lowSpaceGb"), 10000.0); // more than any test machine has free
        auto lock = *wire::LockFile::take(s.studies[0].dir / "study.lock");
        QVERIFY(s.start());
        auto* banner = s.dock->findChild<Banner*>();
        QTRY_COMPARE(banner->property("code").toString(), QStringLiteral("queue.disk_low"));
        QVERIFY(banner->isVisible());
        s.settings.setValue(QStringLiteral("storage/lowSpaceGb"), 0.0);
        s.session.project.refresh();
        QTRY_VERIFY(!banner->isVisible());
    }
    void retryAndRemove() {
        Scene s;
        std::optional<wire::LockFile> lock = *wire::LockFile::take(s.studies[0].dir / "study.lock");
        QVERIFY(s.start());
        s.select(0);
        QVERIFY(!s.action("queue.retry").isEnabled());
        s.select(1);
        s.action("queue.retry").trigger();
        QCOMPARE(s.engine.asked.last().what, QStringLiteral("continue"));
        QCOMPARE(s.engine.asked.last().arguments[1], QString::fromStdString(s.studies[1].dir.string()));
        s.action("queue.remove").trigger();
        QTRY_COMPARE(s.names(), (QStringList{QStringLiteral("one"), QStringLiteral("three")}));
        s.select(0);
        s.action("queue.remove").trigger(); // its supervisor waits: it is told to end
        QCOMPARE(s.engine.asked.last().what, QStringLiteral("control"));
        QCOMPARE(s.engine.asked.last().arguments[2], QStringLiteral("stop"));
        QTRY_COMPARE(*store::Store::open(s.project())->queueOrder(), std::vector<std::string>{s.studies[2].uid});
        lock.reset();
        s.session.project.refresh();
        QTRY_COMPARE(s.names(), QStringList{QStringLiteral("three")});
    }
};

QTEST_MAIN(QueueDockTest)
#include "tst_queue_dock.moc"
