// SPDX-License-Identifier: GPL-3.0-or-later
// What: whole studies through the real tool and engine: end to end, reuse, failing members, kills at random moments, a read-only project,
// detach, follow.
#include "base/clock.h"
#include "program.h"
#include "tiny_project.h"
#include "wire/event_log.h"
#include "wire/run_folder.h"

#include <QJsonArray>
#include <csignal>
#include <linux/capability.h>
#include <map>
#include <sys/prctl.h>

using namespace qw;
namespace fs = std::filesystem;

class SupervisorTest : public QObject {
    Q_OBJECT

    static constexpr int kSteps = 24;
    test::TempDir m_dir;
    QByteArray m_table; // of the undisturbed study

    QString recipe(const std::string& name, const test::Json& json) {
        const fs::path path = m_dir.path() / (name + ".yaml");
        test::writeText(path, json.dump(1));
        return test::text(path);
    }
    test::Json standard(const std::string& name = "study") { return test::tinyRecipe(m_dir.path() / "world", name, kSteps); }
    [[nodiscard]] QString project(const std::string& name) const { return test::text(m_dir.path() / name); }
    [[nodiscard]] static QStringList run(const QString& recipe, const QString& project) {
        return {QStringLiteral("run"), recipe, QStringLiteral("--project"), project, QStringLiteral("--json")};
    }

    // The table without what was measured with a clock.
    static QByteArray comparable(const QJsonObject& table) {
        QJsonObject kept = table;
        QJsonArray rows;
        for (const auto& value : table[QStringLiteral("rows")].toArray()) {
            QJsonObject row = value.toObject();
            row.remove(QStringLiteral("tokens_per_s"));
            rows.append(row);
        }
        kept[QStringLiteral("rows")] = rows;
        return QJsonDocument(kept).toJson();
    }
    static QByteArray tableOf(const test::ToolResult& result) { return comparable(result.json()[QStringLiteral("table")].toObject()); }

    // pid of an engine that works in this project now; 0: none.
    static pid_t liveEngine(const QString& project) {
        for (const auto& folder : wire::listRunFolders(project.toStdString()))
            if (wire::isLive(folder)) return static_cast<pid_t>(wire::readLockHolder(folder.lock()).pid);
        return 0;
    }
    static QMap<QString, QString> ends(const test::ToolResult& result) {
        QMap<QString, QString> byName;
        for (const auto& value : result.json()[QStringLiteral("rows")].toArray())
            byName[value.toObject()[QStringLiteral("name")].toString()] = value.toObject()[QStringLiteral("end")].toString();
        return byName;
    }
    static size_t runCount(const QString& project) { return wire::listRunFolders(project.toStdString()).size(); }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(test::makeTinyWorld(m_dir.path() / "world").ok());
        const auto result = test::runTool(run(recipe("study", standard()), project("calm")));
        QVERIFY2(result.code == 0, result.out.constData());
        m_table = tableOf(result);
        QCOMPARE(ends(result).size(), 6); // float, float trained, PTQ and QAT of two schemes
        for (const auto& end : ends(result)) QCOMPARE(end, QStringLiteral("done"));
        const auto rows = result.json()[QStringLiteral("table")].toObject()[QStringLiteral("rows")].toArray();
        QCOMPARE(rows.size(), 6);
        for (const auto& row : rows) {
            QCOMPARE(row.toObject()[QStringLiteral("problem")].toString(), QString());
            for (const auto& cell : row.toObject()[QStringLiteral("cells")].toArray())
                QVERIFY(cell.toObject()[QStringLiteral("value")].isDouble());
        }
        QVERIFY(!result.json()[QStringLiteral("table")]
                     .toObject()[QStringLiteral("verdict")]
                     .toObject()[QStringLiteral("sentence")]
                     .toString()
                     .isEmpty());
    }

    void theSameRecipeAgainComputesNothing() {
        const size_t runs = runCount(project("calm"));
        const auto result = test::runTool(run(recipe("study", standard()), project("calm")));
        QCOMPARE(result.code, 0);
        QCOMPARE(tableOf(result), m_table);
        QCOMPARE(runCount(project("calm")), runs);
    }

    void factsOfAnotherStudyAreReused() {
        const size_t runs = runCount(project("calm"));
        auto other = standard("other");
        other["schemes"].push_back({{"name", "w8"}, {"preset", "intx_weight_only"}});
        const auto result = test::runTool(run(recipe("other", other), project("calm")));
        QVERIFY2(result.code == 0, result.err.constData());
        const auto byName = ends(result);
        QCOMPARE(byName[QStringLiteral("float")], QStringLiteral("reused"));
        QCOMPARE(byName[QStringLiteral("float trained")], QStringLiteral("reused"));
        QCOMPARE(byName[QStringLiteral("w2 QAT")], QStringLiteral("reused"));
        QCOMPARE(byName[QStringLiteral("w8 QAT")], QStringLiteral("done"));
        QCOMPARE(runCount(project("calm")), runs + 2);
        QCOMPARE(result.json()[QStringLiteral("table")].toObject()[QStringLiteral("rows")].toArray().size(), 8);
    }

    void aFailingMemberDoesNotStopTheOthers() {
        auto json = standard("failing");
        json["data"].erase("eval"); // quick
        json["schemes"] = {{{"name", "good"}, {"preset", "intx_weight_only"}, {"train", {{"max_steps", 4}}}},
                           {{"name", "wild"}, {"preset", "intx_weight_only"}, {"optim", {{"lr", 1e30}}}, {"train", {{"max_steps", 6}}}}};
        json["watchdog"] = {{"nonfinite", "stop"}};
        const auto result = test::runTool(run(recipe("failing", json), project("failing")));
        const auto byName = ends(result);
        QCOMPARE(result.code, 5); // of the first failure: train.nonfinite
        QCOMPARE(byName[QStringLiteral("good QAT")], QStringLiteral("done"));
        QCOMPARE(byName[QStringLiteral("good PTQ")], QStringLiteral("done"));
        QCOMPARE(byName[QStringLiteral("wild QAT")], QStringLiteral("failed"));
        QCOMPARE(byName[QStringLiteral("wild PTQ")], QStringLiteral("no_parent"));
    }

    void aSchemeThatMatchesNothingIsAnError() {
        auto json = standard("nothing");
        json["schemes"] = {{{"name", "none"}, {"preset", "intx_weight_only"}, {"modules", {{"include", {"*.nowhere"}}}}}};
        const auto result = test::runTool(run(recipe("nothing", json), project("nothing")));
        QCOMPARE(result.code, 3);
    }

    // Studies are killed again and again until they are through; fresh ones follow until there were enough kills, some in training.
    void kill9OfTheEngineAtRandomMoments() {
        constexpr int kKills = 24, kInTraining = 4;
        auto json = standard("kills");
        json["train"]["max_steps"] = 120;
        const QString file = recipe("kills", json);
        const auto calm = test::runTool(run(file, project("kills-calm")));
        QVERIFY2(calm.code == 0, calm.err.constData());
        std::mt19937 random(20260101);
        Kills kills;
        int starts = 0, studies = 0;
        while ((kills.all < kKills || kills.byPhase["train"] < kInTraining) && studies < 12) {
            const QString where = project("killed-" + std::to_string(studies++));
            test::ToolResult last;
            for (int tries = 0; tries < 40; ++tries) {
                ++starts;
                auto tool = test::startProgram("qatw", run(file, where));
                killEngines(*tool, where, random, kills, kKills + kInTraining);
                last = test::finish(*tool);
                if (last.code == 0) break;
            }
            QVERIFY2(last.code == 0, last.err.constData());
            QCOMPARE(tableOf(last), tableOf(calm));
            // The store holds what a rebuild from the folders holds.
            QCOMPARE(test::runTool({QStringLiteral("store"), QStringLiteral("rebuild"), QStringLiteral("--project"), where}).code, 0);
            const auto compared = test::runTool({QStringLiteral("compare"), QStringLiteral("--project"), where, QStringLiteral("--json")});
            QCOMPARE(comparable(compared.json()), tableOf(calm));
        }
        std::string where;
        for (const auto& [phase, count] : kills.byPhase) where.append(" ").append(phase).append(" ").append(std::to_string(count));
        qInfo("%d kills in %d starts of %d studies:%s", kills.all, starts, studies, where.c_str());
        QVERIFY(kills.all >= 20);
    }

    void kill9OfTheSupervisorLeavesTheEngine() {
        const QString where = project("orphan");
        const QString file = recipe("study", standard());
        for (const int signal : {SIGKILL, SIGKILL, SIGINT}) {
            auto tool = test::startProgram("qatw", run(file, where));
            pid_t engine = 0;
            QVERIFY(test::waitUntil([&] { return (engine = liveEngine(where)) != 0; }, 60'000));
            ::kill(static_cast<pid_t>(tool->processId()), signal);
            QVERIFY(tool->waitForFinished(40'000));
            if (signal == SIGKILL) QVERIFY(::kill(engine, 0) == 0);
        }
        const auto result = test::runTool(run(file, where));
        QVERIFY2(result.code == 0, result.err.constData());
        QCOMPARE(tableOf(result), m_table);
        QCOMPARE(runCount(where), size_t{6}); // nobody started anything twice
    }

    void aReadOnlyProjectIsShownAndNotChanged() {
        const fs::path dir = m_dir.path() / "calm";
        const auto allow = [&](bool writing) {
            const auto how = writing ? fs::perm_options::add : fs::perm_options::remove;
            const auto bits = writing ? fs::perms::owner_write : fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;
            fs::permissions(dir, bits, how);
            for (const auto& entry : fs::recursive_directory_iterator(dir)) fs::permissions(entry.path(), bits, how);
        };
        const auto call = [](const QStringList& arguments) {
            QProcess tool;
            tool.setProcessEnvironment(test::testEnvironment());
            tool.setChildProcessModifier([] { ::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE); }); // without it root may write anywhere
            tool.start(test::binary("qatw"), arguments);
            return test::finish(tool);
        };
        auto other = standard("fresh");
        other["seed"] = 7;
        const size_t runs = runCount(project("calm"));
        allow(false);
        const auto refused = call(run(recipe("fresh", other), project("calm")));
        const auto shown = call(
            {QStringLiteral("compare"), QStringLiteral("study"), QStringLiteral("--project"), project("calm"), QStringLiteral("--json")});
        allow(true);
        QCOMPARE(refused.code, 4);
        QVERIFY2(refused.out.contains("file.permission") && refused.out.contains("calm"), refused.out.constData());
        QCOMPARE(runCount(project("calm")), runs);
        QVERIFY2(shown.code == 0, shown.out.constData());
        QCOMPARE(comparable(shown.json()), m_table);
    }

    void twoSupervisorsOfOneStudy() {
        const QString where = project("twice");
        const QString file = recipe("study", standard());
        auto environment = test::testEnvironment();
        environment.remove(QStringLiteral("GOMP_SPINCOUNT"));
        auto first = test::startProgram("qatw", run(file, where), environment);
        pid_t engine = 0;
        QVERIFY(test::waitUntil([&] { return (engine = liveEngine(where)) != 0; }, 60'000));
        QVERIFY(test::readText("/proc/" + std::to_string(engine) + "/environ").find("GOMP_SPINCOUNT=1000") != std::string::npos);
        const auto second = test::runTool(run(file, where));
        QCOMPARE(second.code, 75);
        QVERIFY(second.out.contains("engine.busy"));
        // A single command in the same project is told who is at work.
        const auto third = test::runTool({QStringLiteral("eval"), test::text(m_dir.path() / "world/model"), QStringLiteral("--task"),
                                          QStringLiteral("hellaswag=") + test::text(m_dir.path() / "world/choice.jsonl"),
                                          QStringLiteral("--project"), where, QStringLiteral("--json")});
        QVERIFY(third.code == 75 || third.code == 0); // 0: it slipped in between two members
        const auto result = test::finish(*first);
        QCOMPARE(result.code, 0);
        QCOMPARE(tableOf(result), m_table);
    }

    void interruptAsksForACheckpoint() {
        const QString where = project("interrupted");
        auto json = standard("long");
        json["train"]["max_steps"] = 600;
        json["schemes"].erase(1);
        const QString file = recipe("long", json);
        auto tool = test::startProgram("qatw", run(file, where));
        QVERIFY(test::waitUntil([&] { return training(where); }, 60'000));
        ::kill(static_cast<pid_t>(tool->processId()), SIGINT);
        const auto result = test::finish(*tool, 40'000);
        QCOMPARE(result.code, 128 + SIGINT);
        QVERIFY(result.json()[QStringLiteral("stopped")].toBool());
        QCOMPARE(liveEngine(where), 0);
        QCOMPARE(stateOf(where, QStringLiteral("float trained")), QStringLiteral("stopped"));
    }

    void detachFollowPauseStop() {
        const QString where = project("detached");
        auto json = standard("background");
        json["train"]["max_steps"] = 400;
        json["schemes"].erase(1);
        const QString file = recipe("background", json);
        QElapsedTimer timer;
        timer.start();
        const auto detached = test::runTool(
            {QStringLiteral("run"), file, QStringLiteral("--project"), where, QStringLiteral("--json"), QStringLiteral("--detach")});
        QCOMPARE(detached.code, 0);
        const QString study = detached.json()[QStringLiteral("study")].toString();
        QVERIFY(!study.isEmpty());
        QVERIFY(test::waitUntil([&] { return training(where); }, 60'000));
        const auto command = [&](const char* word) {
            return test::runTool({QLatin1String(word), study, QStringLiteral("--project"), where, QStringLiteral("--json")}).code;
        };
        QCOMPARE(command("pause"), 0);
        QVERIFY(test::waitUntil([&] { return stateOf(where, QStringLiteral("float trained")) == QStringLiteral("paused"); }, 10'000));
        QCOMPARE(command("resume"), 0);
        QVERIFY(test::waitUntil([&] { return stateOf(where, QStringLiteral("float trained")) == QStringLiteral("running"); }, 10'000));
        QCOMPARE(command("stop"), 0);
        QVERIFY(test::waitUntil(
            [&] { return liveEngine(where) == 0 && stateOf(where, QStringLiteral("float trained")) == QStringLiteral("stopped"); },
            30'000));
        // Continued in the background and watched to its end.
        QVERIFY(test::waitUntil(
            [&] { return !wire::isLockLive(fs::path(detached.json()[QStringLiteral("dir")].toString().toStdString()) / "study.lock"); },
            10'000));
        const auto again = test::runTool(
            {QStringLiteral("run"), file, QStringLiteral("--project"), where, QStringLiteral("--json"), QStringLiteral("--detach")});
        QCOMPARE(again.json()[QStringLiteral("study")].toString(), study);
        const auto followed = test::runTool(
            {QStringLiteral("run"), file, QStringLiteral("--project"), where, QStringLiteral("--json"), QStringLiteral("--follow")});
        QVERIFY2(followed.code == 0, followed.err.constData());
        QCOMPARE(followed.json()[QStringLiteral("table")].toObject()[QStringLiteral("rows")].toArray().size(), 4);
    }

private:
    struct Kills {
        int all = 0;
        std::map<std::string, int> byPhase; // of the run's log at that moment
    };
    // Kills each engine of this project at a random moment of its life, while the tool runs and kills are left: every other one soon
    // after its start, the others once they are at work.
    static void killEngines(QProcess& tool, const QString& where, std::mt19937& random, Kills& kills, int most) {
        pid_t engine = 0;
        const auto ended = [&] {
            tool.waitForFinished(1);
            return tool.state() == QProcess::NotRunning;
        };
        while (kills.all < most && test::waitUntil([&] { return ended() || (engine = liveEngine(where)) != 0; }, 60'000) && engine != 0) {
            const int64_t since = wallMs() - 50; // of an earlier attempt nothing is this young
            const auto gone = [&] { return ended() || liveEngine(where) != engine; };
            if (kills.all % 2) test::waitUntil([&] { return gone() || !phase(where, since).empty(); }, 20'000);
            test::waitUntil(gone, static_cast<int>(random() % 350)); // false: it still lives
            const std::string at = phase(where, since);
            if (liveEngine(where) == engine && ::kill(engine, SIGKILL) == 0) {
                ++kills.all;
                ++kills.byPhase[at.empty() ? "start" : at];
            }
            test::waitUntil(gone, 10'000);
            engine = 0;
        }
    }
    // Where the working engine of this project is, by what its log got since then; empty: not at work yet.
    static std::string phase(const QString& project, int64_t sinceMs) {
        for (const auto& folder : wire::listRunFolders(project.toStdString())) {
            if (!wire::isLive(folder)) continue;
            wire::EventLogReader reader(folder.events());
            const auto events = reader.readAfter(0);
            std::string now;
            if (events)
                for (const auto& event : *events)
                    if (const auto* state = std::get_if<wire::StateChange>(&event.payload); state && event.tsMs >= sinceMs)
                        now = state->phase;
            return now;
        }
        return {};
    }
    static QString stateOf(const QString& project, const QString& name) {
        const auto listed = test::runTool({QStringLiteral("runs"), QStringLiteral("--project"), project, QStringLiteral("--json")});
        for (const auto& value : listed.json()[QStringLiteral("runs")].toArray())
            if (value.toObject()[QStringLiteral("name")].toString() == name) return value.toObject()[QStringLiteral("state")].toString();
        return {};
    }
    // A run of this project has written a checkpoint.
    static bool training(const QString& project) {
        for (const auto& folder : wire::listRunFolders(project.toStdString()))
            if (wire::isLive(folder) && fs::exists(folder.checkpoints() / "LATEST")) return true;
        return false;
    }
};

QTEST_GUILESS_MAIN(SupervisorTest)
#include "tst_supervisor.moc"
