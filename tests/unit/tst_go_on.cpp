// SPDX-License-Identifier: GPL-3.0-or-later
// What: going on with a run besides its newest checkpoint: rewound, extended as a new run, with more tasks to measure.
#include "config/recipe_file.h"
#include "drive/go_on.h"
#include "store_fixture.h"
#include "wire/run_marks.h"

using namespace qw;
using namespace qw::test;
using store::Store;
namespace fs = std::filesystem;

namespace {

// A trained run with checkpoints of these steps on disk; its second start went on from step 5.
wire::RunFolder trainedRun(const fs::path& project, const std::vector<int64_t>& checkpoints) {
    records::RunIdentity identity = sampleIdentity();
    identity.notes = "mine";
    const wire::RunFolder folder = *wire::createRunFolder(project, identity);
    records::Recipe recipe;
    recipe.train.maxSteps = 20;
    recipe.seeds = {7};
    recipe.eval.tasks = {{"hellaswag", "/h.jsonl", 0, "hellaswag"}};
    writeText(folder.resolvedConfig(), config::writeRecipe(recipe));
    auto log = *wire::EventLogWriter::open(folder.events());
    append(log, wire::Attempt{1, "host", "cpu", "2.11.0", "build", 77, 0, 2, true});
    for (int64_t s = 1; s <= 8; ++s) append(log, sampleMetrics(s));
    append(log, wire::Attempt{2, "host", "cpu", "2.11.0", "build", 78, 6, 2, true});
    for (int64_t s = 6; s <= 20; ++s) append(log, sampleMetrics(s));
    for (const int64_t step : checkpoints) {
        const std::string name = "checkpoints/" + wire::checkpointName(step);
        writeText(folder.dir / name / "MANIFEST.json", "{}");
        writeText(folder.dir / name / "model-00001.safetensors", "weights of " + std::to_string(step));
        append(log, wire::CheckpointSaved{step, 100, name, false});
    }
    append(log, wire::StateChange{records::RunState::Stopped, {}, {}});
    return folder;
}

} // namespace

class GoOnTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void rewindRemovesWhatIsNewer() {
        const TempDir dir;
        const auto folder = trainedRun(dir.path(), {10, 15, 20});
        QCOMPARE(wire::checkpointSteps(folder.checkpoints()), (std::vector<int64_t>{10, 15, 20}));
        QCOMPARE(drive::rewindRun(folder, 12).error().code, std::string("engine.state"));
        QCOMPARE(wire::checkpointSteps(folder.checkpoints()).size(), size_t{3});
        {
            const auto engine = wire::takeRunLock(folder);
            QCOMPARE(drive::rewindRun(folder, 10).error().code, std::string("engine.busy"));
        }
        QVERIFY(drive::rewindRun(folder, 15).ok());
        QCOMPARE(wire::checkpointSteps(folder.checkpoints()), (std::vector<int64_t>{10, 15}));
        for (const auto& entry : fs::directory_iterator(folder.checkpoints()))
            QVERIFY2(entry.path().filename().string().find(".trash-") == std::string::npos, entry.path().c_str());
    }

    void anExtendedRunIsAnotherOne() {
        const TempDir dir;
        const auto folder = trainedRun(dir.path(), {10, 15});
        auto db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        const store::RunInfo before = *db.run(wire::readIdentity(folder)->uid);
        const auto made = drive::extendRun(db, before, 30);
        QVERIFY2(made.ok(), made ? "" : made.error().message.c_str());
        const auto identity = *wire::readIdentity(*made);
        QVERIFY(identity.uid != before.identity.uid);
        QCOMPARE(identity.name, std::string("sample run +30"));
        QCOMPARE(identity.parentUid, before.identity.uid);
        QVERIFY(identity.key.empty() && identity.notes.empty());
        QVERIFY(identity.block != before.identity.block);
        const auto recipe = config::parseRecipe(readText(made->resolvedConfig()), "x");
        QCOMPARE(recipe->train.maxSteps, int64_t{50});
        QVERIFY(wire::readMarks(*made).extendSchedule && !wire::readMarks(folder).extendSchedule);
        QCOMPARE(wire::checkpointSteps(made->checkpoints()), (std::vector<int64_t>{15})); // the newest alone
        QCOMPARE(readText(made->dir / "checkpoints/step_00000015/model-00001.safetensors"), std::string("weights of 15"));
        // The curves up to there, each step once, are in the store; the old run has lost nothing.
        const auto curve = *db.series(identity.uid, "train.loss");
        QCOMPARE(curve.step.size(), size_t{15});
        for (size_t i = 0; i < curve.step.size(); ++i) {
            QCOMPARE(curve.step[i], static_cast<int64_t>(i + 1));
            QCOMPARE(curve.mean[i], sampleLoss(static_cast<int64_t>(i + 1)));
        }
        QVERIFY(db.sync().ok());
        QCOMPARE(db.series(before.identity.uid, "train.loss")->step.size(), size_t{20});
        QCOMPARE(wire::checkpointSteps(folder.checkpoints()), (std::vector<int64_t>{10, 15}));
    }

    void whatCannotBeExtendedSaysWhy() {
        const TempDir dir;
        const auto bare = trainedRun(dir.path(), {});
        auto db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        auto info = *db.run(wire::readIdentity(bare)->uid);
        QCOMPARE(drive::extendRun(db, info, 5).error().code, std::string("engine.state"));
        info.identity.kind = "ptq";
        QVERIFY(drive::extendRun(db, info, 5).error().message.find("not trained") != std::string::npos);
        QCOMPARE(drive::extendRun(db, info, 0).error().code, std::string("usage"));
        QCOMPARE(wire::listRunFolders(dir.path()).size(), size_t{1}); // nothing half-made
    }

    void onlyMissingTasksAreAdded() {
        const TempDir dir;
        const auto folder = trainedRun(dir.path(), {10});
        {
            auto log = *wire::EventLogWriter::open(folder.events());
            append(log, wire::EvalDone{sampleResult("R", -1)}); // hellaswag
        }
        auto db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        const auto info = *db.run(wire::readIdentity(folder)->uid);
        const std::vector<records::EvalTask> wanted{
            {"hellaswag", "/h.jsonl", 0, "hellaswag"}, {"pages", "/p.txt", 20, "plain"}, {"pages", "/p.txt", 20, "plain"}};
        QCOMPARE(*drive::addTasks(db, info, wanted), (std::vector<std::string>{"pages"}));
        const auto recipe = config::parseRecipe(readText(folder.resolvedConfig()), "x");
        QCOMPARE(recipe->eval.tasks.size(), size_t{2});
        QVERIFY(recipe->eval.tasks[1] == wanted[1]);
        const std::string text = readText(folder.resolvedConfig());
        QVERIFY(drive::addTasks(db, info, {wanted[0]})->empty());
        QCOMPARE(readText(folder.resolvedConfig()), text);
    }
};

QTEST_GUILESS_MAIN(GoOnTest)
#include "tst_go_on.moc"
