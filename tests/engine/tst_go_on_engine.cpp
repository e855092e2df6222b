// SPDX-License-Identifier: GPL-3.0-or-later
// What: real runs that go on besides their newest checkpoint: from an earlier one, for more steps, with more tasks; bit for bit.
#include "drive/go_on.h"
#include "engine_run.h"
#include "store/store.h"

using namespace qw;
namespace fs = std::filesystem;

class GoOnEngineTest : public QObject {
    Q_OBJECT

    static constexpr int kShort = 8, kLong = 12; // checkpoints every 4
    test::TempDir m_dir;

    [[nodiscard]] wire::RunFolder make(const char* project, int steps, const char* schedule, bool tasks = true) const {
        auto json = test::tinyRecipe(m_dir.path() / "world", "run", steps);
        json.erase("schemes");
        json["schedule"] = {{"name", schedule}};
        json["checkpoint"]["keep"] = 5;
        json["checkpoint"]["async"] = false; // what a killed engine has saved is then known
        if (!tasks) json["eval"]["tasks"].erase(json["eval"]["tasks"].begin());
        const auto recipe = config::parseRecipe(json.dump(), m_dir.path() / "recipe.yaml");
        auto members = study::expand(*recipe);
        auto identity = members->front().run;
        return *drive::makeRun(m_dir.path() / project, identity, members->front().recipe, "");
    }
    [[nodiscard]] test::ToolResult tool(const char* project, QStringList arguments) const {
        arguments << QStringLiteral("--project") << test::text(m_dir.path() / project) << QStringLiteral("--json");
        return test::runTool(arguments);
    }
    static QString uid(const wire::RunFolder& folder) { return QString::fromStdString(wire::readIdentity(folder)->uid); }
    static bool run(const wire::RunFolder& folder) {
        const auto process = test::engine(folder, {}, "qat-engine");
        return test::finish(*process).code == 0;
    }

private Q_SLOTS:
    void initTestCase() { QVERIFY(test::makeTinyWorld(m_dir.path() / "world").ok()); }

    void moreStepsAreThoseOfALongerRun() {
        const auto longer = make("longer", kLong, "constant"), shorter = make("shorter", kShort, "constant");
        QVERIFY(run(longer) && run(shorter));
        const auto before = test::lossesOf(shorter);
        const auto result = tool("shorter", {QStringLiteral("extend"), uid(shorter), QStringLiteral("--steps"), QStringLiteral("4")});
        QVERIFY2(result.code == 0, result.err.constData());
        const auto folders = wire::listRunFolders(m_dir.path() / "shorter");
        QCOMPARE(folders.size(), size_t{2});
        QCOMPARE(test::lossesOf(folders[1]), test::lossesOf(longer));
        QCOMPARE(test::lossesOf(shorter), before);
        QCOMPARE(result.json()[QStringLiteral("state")].toString(), QStringLiteral("completed"));
        QCOMPARE(test::countOf<wire::EvalDone>(test::eventsOf(folders[1])), test::countOf<wire::EvalDone>(test::eventsOf(longer)));
    }

    void aScheduleOfKnownLengthIsStretched() {
        const auto folder = make("cosine", kShort, "cosine");
        QVERIFY(run(folder));
        const auto result = tool("cosine", {QStringLiteral("extend"), uid(folder), QStringLiteral("--steps"), QStringLiteral("4")});
        QVERIFY2(result.code == 0, result.err.constData());
        QCOMPARE(test::lossesOf(wire::listRunFolders(m_dir.path() / "cosine")[1]).rbegin()->first, int64_t{kLong});
    }

    void anEarlierCheckpointGivesTheSameRun() {
        const auto calm = make("calm", kLong, "cosine"), folder = make("rewound", kLong, "cosine");
        QVERIFY(run(calm));
        const auto killed = test::engine(folder, QStringLiteral("segv@step=10"));
        test::finish(*killed);
        QCOMPARE(wire::checkpointSteps(folder.checkpoints()), (std::vector<int64_t>{4, 8}));
        const auto result = tool("rewound", {QStringLiteral("resume"), uid(folder), QStringLiteral("--from"), QStringLiteral("4")});
        QVERIFY2(result.code == 0, result.err.constData());
        std::vector<int64_t> from;
        for (const auto& event : test::eventsOf(folder))
            if (const auto* attempt = std::get_if<wire::Attempt>(&event.payload)) from.push_back(attempt->fromStep);
        QCOMPARE(from, (std::vector<int64_t>{0, 5}));
        QCOMPARE(test::lossesOf(folder), test::lossesOf(calm));
        const auto refused = tool("rewound", {QStringLiteral("resume"), uid(folder)});
        QCOMPARE(refused.json()[QStringLiteral("error")].toObject()[QStringLiteral("code")].toString(), QStringLiteral("engine.state"));
    }

    void onlyWhatIsMissingIsMeasured() {
        const auto all = make("tasks", 4, "constant"), few = make("tasks", 4, "constant", false);
        QVERIFY(run(all) && run(few));
        const auto count = test::countOf<wire::EvalDone>(test::eventsOf(few));
        const auto metrics = test::countOf<wire::Metrics>(test::eventsOf(few));
        const auto result = tool("tasks", {QStringLiteral("measure"), uid(few), QStringLiteral("--like"), uid(all)});
        QVERIFY2(result.code == 0, result.err.constData());
        QCOMPARE(result.json()[QStringLiteral("measured")].toVariant().toStringList(), QStringList{QStringLiteral("hellaswag")});
        const auto events = test::eventsOf(few);
        QCOMPARE(test::countOf<wire::EvalDone>(events), count + 1);
        QCOMPARE(test::countOf<wire::Metrics>(events), metrics); // nothing is trained again
        auto store = *store::Store::open(m_dir.path() / "tasks");
        QVERIFY(store.sync().ok());
        const auto numbers = [&](const wire::RunFolder& folder) {
            const auto results = store.results(wire::readIdentity(folder)->uid);
            for (const auto& stored : *results)
                if (stored.result.task == "hellaswag") return stored.result.metrics.front().value;
            return -1.0;
        };
        QCOMPARE(numbers(few), numbers(all)); // the same training, measured the same way
        QCOMPARE(store.run(wire::readIdentity(few)->uid)->state, records::RunState::Completed);
        QCOMPARE(store.series(wire::readIdentity(few)->uid, "train.loss")->step.size(), size_t{4});
        const auto again = tool("tasks", {QStringLiteral("measure"), uid(few), QStringLiteral("--like"), uid(all)});
        QVERIFY(again.code == 0 && again.json()[QStringLiteral("measured")].toArray().isEmpty());
    }
};

QTEST_GUILESS_MAIN(GoOnEngineTest)
#include "tst_go_on_engine.moc"
