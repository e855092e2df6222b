// SPDX-License-Identifier: GPL-3.0-or-later
// What: checkpoints that are written while training goes on, and cadences that change meanwhile (engine.md 5, Async; 2.3, train.set).
#include "training_fixture.h"

#include "base/files.h"
#include "train/checkpoint_writer.h"
#include "train/persist.h"
#include "train/train_state.h"

#include <ATen/ops/full.h>
#include <set>

namespace fs = std::filesystem;
using namespace qw;
using test::Start;
using test::tinyRecipe;

namespace {

records::Recipe quantizedAndSaved(double everySteps) {
    records::Recipe recipe = test::savesEvery(everySteps);
    recipe.qat = test::int4Scheme();
    return recipe;
}

std::map<std::string, std::string> filesBelow(const fs::path& dir) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(dir))
        if (entry.is_regular_file() && entry.path().filename() != "state.json" && entry.path().filename() != "MANIFEST.json")
            files[fs::relative(entry.path(), dir).string()] = *readFile(entry.path());
    return files;
}

train::SaveTask taskOf(int64_t step, int64_t rows = 4) {
    train::SaveTask task;
    task.snapshot.step = step;
    task.snapshot.model = {{"a", at::full({rows, 256}, static_cast<double>(step))}};
    task.snapshot.stateJson = "{}";
    task.keep = 10;
    return task;
}

// A disk that answers when it is told to.
struct SlowDisk {
    std::atomic<bool> asked{false}, mayAnswer{false};
    uint64_t operator()() {
        asked = true;
        while (!mayAnswer) std::this_thread::yield();
        return uint64_t{1} << 40;
    }
};

} // namespace

class SavingTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theFilesAreThoseOfAWaitingRun() {
        const test::TempDir a, b;
        records::Recipe recipe = quantizedAndSaved(3);
        Start async(a.path(), recipe);
        recipe.checkpoint.async = false;
        Start waiting(b.path(), recipe);
        QVERIFY(async.run().ok() && waiting.run().ok());
        QCOMPARE(train::Checkpoints(a.path() / "checkpoints").steps(), (std::vector<int64_t>{3, 6, 9, 12}));
        QVERIFY(filesBelow(a.path() / "checkpoints") == filesBelow(b.path() / "checkpoints"));
        const auto saved = async.recorded.all<wire::CheckpointSaved>();
        QCOMPARE(saved.size(), size_t(4));
        QVERIFY(saved[1].step == 6 && saved[1].bytes == waiting.recorded.all<wire::CheckpointSaved>()[1].bytes);
    }
    void theCallerGoesOnWhileItIsWritten() {
        const test::TempDir dir;
        SlowDisk disk;
        const train::Checkpoints checkpoints(dir.path() / "checkpoints", [&](const fs::path&) { return disk(); });
        QVERIFY(checkpoints.prepare().ok());
        train::CheckpointWriter writer(checkpoints);
        QVERIFY(!writer.take(true)); // nothing was started
        writer.start(taskOf(4));
        QTRY_VERIFY_WITH_TIMEOUT(disk.asked.load(), 20'000);
        QVERIFY(!writer.take(false));
        QVERIFY(checkpoints.steps().empty());
        disk.mayAnswer = true;
        const auto done = writer.take(true);
        QVERIFY(done && done->step == 4 && done->written.ok());
        QVERIFY(!writer.take(false)); // handed out once
        QCOMPARE(checkpoints.steps(), std::vector<int64_t>{4});
        writer.start(taskOf(8));
        QVERIFY(writer.take(true)->written.ok());
        QCOMPARE(checkpoints.steps(), (std::vector<int64_t>{4, 8}));
    }
    void aCheckpointThatIsLeftLeavesNothing() {
        const test::TempDir dir;
        SlowDisk disk;
        const train::Checkpoints checkpoints(dir.path() / "checkpoints", [&](const fs::path&) { return disk(); });
        QVERIFY(checkpoints.prepare().ok());
        const std::atomic<bool> abandoned{true};
        disk.mayAnswer = true;
        const auto left = checkpoints.write(taskOf(4).snapshot, {&abandoned, {}});
        QVERIFY(!left.ok());
        QCOMPARE(left.error().code, std::string("engine.cancelled"));
        QVERIFY(fs::is_empty(checkpoints.dir()));
    }
    void aCheckpointWaitsForTheLog() {
        const test::TempDir dir;
        const train::Checkpoints checkpoints(dir.path() / "checkpoints");
        QVERIFY(checkpoints.prepare().ok());
        bool hidden = false;
        train::CheckpointWriter writer(checkpoints, [&]() -> Status {
            hidden = checkpoints.steps().empty();
            if (!hidden) return Error{"disk.full", "no log", {}, {}, true};
            return {};
        });
        QVERIFY(writer.save(taskOf(4)).ok());
        QVERIFY(hidden);
        QCOMPARE(writer.save(taskOf(8)).error().code, std::string("disk.full"));
        QCOMPARE(checkpoints.steps(), std::vector<int64_t>{4});
    }
    void aCopyIsNotTheOriginal() {
        train::Snapshot live = taskOf(1).snapshot;
        const train::Snapshot copy = train::copyOf(live, {});
        live.model[0].tensor.fill_(9);
        QCOMPARE(copy.model[0].tensor[0][0].item<double>(), 1.0);
        const void* memory = copy.model[0].tensor.const_data_ptr();
        const train::Snapshot again = train::copyOf(live, copy); // the same buffers
        QCOMPARE(again.model[0].tensor.const_data_ptr(), memory);
        QCOMPARE(again.model[0].tensor[0][0].item<double>(), 9.0);
    }
    void whatCannotBeWrittenIsToldAndTrainingGoesOn() {
        const test::TempDir dir, other;
        records::Recipe recipe = quantizedAndSaved(3);
        recipe.eval.every = 3;
        Start start(dir.path(), recipe), reference(other.path(), recipe);
        start.withEval = reference.withEval = true;
        const fs::path folder = dir.path() / "checkpoints", aside = dir.path() / "aside";
        start.onEvent = [&](const wire::Payload& event) {
            const auto* saved = std::get_if<wire::CheckpointSaved>(&event);
            if (saved && saved->step == 3) { // nothing can be written below a file
                fs::rename(folder, aside);
                std::ofstream(folder) << "in the way";
            }
            const auto* notice = std::get_if<wire::Notice>(&event);
            if (notice && notice->isError) {
                fs::remove(folder);
                fs::rename(aside, folder);
            }
        };
        const auto outcome = start.run();
        QVERIFY2(outcome.ok(), outcome ? "" : outcome.error().message.c_str());
        QVERIFY(reference.run().ok());
        QVERIFY(test::sameBits(start.weights(), reference.weights()));
        QCOMPARE(train::Checkpoints(folder).steps(), (std::vector<int64_t>{3, 9, 12}));
        size_t errors = 0;
        for (const auto& notice : start.recorded.all<wire::Notice>())
            errors += notice.isError && notice.message.find("step 6 ") != std::string::npos ? 1 : 0;
        QCOMPARE(errors, size_t(1));
        const auto state = train::parseState(*readFile(folder / "step_00000012/state.json"));
        QVERIFY(state && state->state.bestSavedStep != 6);
    }
    void aPauseWaitsForIt() {
        const test::TempDir dir;
        Start start(dir.path(), quantizedAndSaved(3));
        start.onStep = [&](int64_t step) {
            if (step == 6) start.cancel.raise(CancelLevel::Pause);
        };
        bool there = false;
        start.onEvent = [&](const wire::Payload& event) {
            const auto* state = std::get_if<wire::StateChange>(&event);
            if (!state || state->state != records::RunState::Paused) return;
            there = start.recorded.all<wire::CheckpointSaved>().size() == 2 &&
                    fs::exists(dir.path() / "checkpoints/step_00000006/MANIFEST.json");
            start.cancel.resume();
        };
        QVERIFY(start.run().ok());
        QVERIFY(there);
    }
    void settingsOfAnEarlierAttemptHoldFromTheSameStep() {
        const records::Recipe recipe = tinyRecipe();
        train::LiveSettings live(recipe, {{6, {{"log.every", 4}}}, {3, {{"log.every", 2}, {"log.layer_every", 5}}}});
        QCOMPARE(live.at(2).logEvery, int64_t(1));
        QCOMPARE(live.at(3).logEvery, int64_t(2));
        QCOMPARE(live.at(3).layerEvery, int64_t(5));
        QCOMPARE(live.at(6).logEvery, int64_t(2)); // the later word counts
        QVERIFY(live.ask({{"log.every", 7}}).ok());
        QVERIFY(live.ask({{"log.every", 8}}).ok());
        const auto taken = live.take(4);
        QVERIFY(taken && taken->step == 4 && taken->values == (train::LiveSettings::Values{{"log.every", 8}}));
        QVERIFY(!live.take(5));
        QCOMPARE(live.at(6).logEvery, int64_t(8));
    }
    void settingsThatWouldChangeTheResultAreRefused() {
        records::Recipe recipe = tinyRecipe();
        recipe.data.eval.push_back({});
        train::LiveSettings plain(recipe);
        QVERIFY(plain.ask({{"eval.every", 0.1}}).ok());
        recipe.earlyStopPatience = 2;
        train::LiveSettings early(recipe);
        const auto refused = early.ask({{"eval.every", 5}});
        QVERIFY(!refused.ok());
        QCOMPARE(refused.error().code, std::string("config.conflict"));
        QVERIFY(early.ask({{"log.every", 5}}).ok());
        early.close();
        QCOMPARE(early.ask({{"log.every", 5}}).error().code, std::string("engine.state"));
    }
};

QTEST_GUILESS_MAIN(SavingTest)
#include "tst_saving.moc"
