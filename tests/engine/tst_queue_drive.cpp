// SPDX-License-Identifier: GPL-3.0-or-later
// What: several real supervisors in one project: the store's order, a paused queue, a failing study that does not stop the next.
#include "program.h"
#include "store/store.h"
#include "tiny_project.h"
#include "wire/run_folder.h"

using namespace qw;
namespace fs = std::filesystem;

class QueueDriveTest : public QObject {
    Q_OBJECT

    static constexpr int kDeadlineMs = 180'000;
    test::TempDir m_dir;

    struct Started {
        std::string uid;
        fs::path dir;
    };
    [[nodiscard]] QString project(const std::string& name) const { return test::text(m_dir.path() / name); }

    // One float reference, one PTQ and one QAT row; returns once the supervisor has the study's lock.
    Started start(const std::string& name, const QString& project, double lr) {
        auto json = test::tinyRecipe(m_dir.path() / "world", name, 4);
        json["data"].erase("eval");
        json["schemes"] = {{{"name", "w4"}, {"preset", "intx_weight_only"}}};
        json["optim"]["lr"] = lr;
        json["watchdog"] = {{"nonfinite", "stop"}};
        const fs::path file = m_dir.path() / (name + ".yaml");
        test::writeText(file, json.dump(1));
        const auto result = test::runTool({QStringLiteral("run"), test::text(file), QStringLiteral("--project"), project,
                                           QStringLiteral("--detach"), QStringLiteral("--json")});
        if (result.code != 0) qFatal("%s", result.err.constData());
        return {result.json()[QStringLiteral("study")].toString().toStdString(),
                result.json()[QStringLiteral("dir")].toString().toStdString()};
    }
    static bool ended(const Started& study) { return !wire::isLockLive(study.dir / "study.lock"); }
    static bool said(const Started& study, const char* words) {
        return test::readText(study.dir / "supervisor.log").find(words) != std::string::npos;
    }
    // Names of the studies whose runs were made, in the order of making; a change of study ends a name.
    static QStringList turns(const QString& project) {
        QStringList names;
        for (const auto& folder : wire::listRunFolders(project.toStdString())) {
            const QString name = QString::fromStdString(wire::readIdentity(folder)->studyName);
            if (names.isEmpty() || names.last() != name) names << name;
        }
        return names;
    }

private Q_SLOTS:
    void initTestCase() { QVERIFY(test::makeTinyWorld(m_dir.path() / "world").ok()); }

    void pausedThenInTheOrderOfTheStore() {
        const QString where = project("ordered");
        {
            auto store = *store::Store::open(where.toStdString());
            QVERIFY(store.setFlag("queue.paused", "1").ok());
        }
        const Started first = start("first", where, 1e-3), second = start("second", where, 2e-3);
        QVERIFY(test::waitUntil([&] { return said(first, "the queue is paused") && said(second, "the queue is paused"); }, kDeadlineMs));
        QCOMPARE(turns(where), QStringList()); // nothing was started
        auto store = *store::Store::open(where.toStdString());
        QCOMPARE(*store.queueOrder(), (std::vector<std::string>{first.uid, second.uid})); // they put themselves there
        QVERIFY(store.setFlag("queue.order", second.uid + " " + first.uid).ok());
        QVERIFY(store.setFlag("queue.paused", "").ok());
        QVERIFY(test::waitUntil([&] { return ended(first) && ended(second); }, kDeadlineMs));
        QCOMPARE(turns(where), (QStringList{QStringLiteral("second"), QStringLiteral("first")}));
        QVERIFY(said(first, "the study 'second' is earlier in the queue"));
        QVERIFY(store.queueOrder()->empty()); // through: they left by themselves
    }

    void aFailingStudyDoesNotStopTheNext() {
        const QString where = project("failing");
        const Started wild = start("wild", where, 1e30), good = start("good", where, 1e-3);
        QVERIFY(test::waitUntil([&] { return ended(wild) && ended(good); }, kDeadlineMs));
        auto store = *store::Store::open(where.toStdString());
        QVERIFY(store.sync().ok());
        int failed = 0, completed = 0;
        const auto runs = store.runs();
        QVERIFY(runs.ok());
        for (const auto& run : *runs) {
            failed += run.state == records::RunState::Failed && run.identity.studyName == "wild";
            completed += run.state == records::RunState::Completed && run.identity.studyName == "good";
        }
        QVERIFY(failed > 0);
        QVERIFY(completed >= 3);
        QCOMPARE(*store.queueOrder(), std::vector<std::string>{wild.uid}); // stays, to be tried again
    }
};

QTEST_GUILESS_MAIN(QueueDriveTest)
#include "tst_queue_drive.moc"
