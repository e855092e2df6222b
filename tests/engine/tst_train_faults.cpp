// SPDX-License-Identifier: GPL-3.0-or-later
// What can go wrong in a run: damaged checkpoints, full disks, numbers that are not finite, divergence.
#include "training_fixture.h"

#include "base/files.h"
#include "train/checkpoints.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <csignal>
#include <limits>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace qw;
using test::savesEvery;
using test::Start;
using test::tinyRecipe;

namespace {

void flipByte(const fs::path& file, std::streamoff at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(at);
    const auto old = static_cast<char>(stream.get());
    stream.seekp(at);
    stream.put(static_cast<char>(old ^ 0x10));
}

// Puts a NaN into a weight of the model in memory.
void poison(model::Decoder& decoder, const std::string& name) {
    const at::NoGradGuard noGrad;
    for (auto& parameter : decoder.parameters())
        if (parameter.name == name) parameter.tensor.view({-1})[5] = std::numeric_limits<float>::quiet_NaN();
}

train::Snapshot snapshot(int64_t step) {
    train::Snapshot s;
    s.step = step;
    s.model = {{"a", at::ones({4, 8})}};
    s.optim = {{"a/exp_avg", at::full({4, 8}, static_cast<double>(step))}};
    s.stateJson = "{}";
    return s;
}

} // namespace

class TrainFaultsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void damagedCheckpointFallsBack_data() {
        QTest::addColumn<QString>("file");
        QTest::newRow("engine.md 11.11: bit flip in the model") << QStringLiteral("model-00001.safetensors");
        QTest::newRow("engine.md 11.11: bit flip in the optimizer") << QStringLiteral("optim-00001.safetensors");
        QTest::newRow("bit flip in state.json") << QStringLiteral("state.json");
        QTest::newRow("bit flip in the manifest") << QStringLiteral("MANIFEST.json");
    }
    void damagedCheckpointFallsBack() {
        QFETCH(QString, file);
        const test::TempDir whole, dir;
        Start reference(whole.path(), savesEvery(4));
        QVERIFY(reference.run().ok());
        {
            Start first(dir.path(), savesEvery(4));
            first.onStep = [&](int64_t step) {
                if (step == 9) first.cancel.raise(CancelLevel::StopAtStep);
            };
            QVERIFY(first.run().ok());
        }
        const fs::path damaged = dir.path() / "checkpoints/step_00000008" / file.toStdString();
        flipByte(damaged,
                 static_cast<std::streamoff>(fs::file_size(damaged)) - (file.startsWith(QLatin1Char('M')) ? fs::file_size(damaged) : 7));
        Start second(dir.path(), savesEvery(4));
        const auto outcome = second.run();
        QVERIFY2(outcome.ok(), outcome ? "" : outcome.error().message.c_str());
        QVERIFY(second.recorded.told("file.corrupt"));
        QCOMPARE(second.recorded.all<wire::Attempt>().front().fromStep, 5);
        QVERIFY(test::sameBits(reference.weights(), second.weights()));
    }
    void missingManifestIsNoCheckpoint() {
        const test::TempDir dir;
        const train::Checkpoints checkpoints(dir.path() / "checkpoints");
        QVERIFY(checkpoints.prepare().ok());
        QVERIFY(checkpoints.write(snapshot(4)).ok());
        QVERIFY(checkpoints.write(snapshot(8)).ok());
        fs::remove(checkpoints.path(8) / "MANIFEST.json");
        std::vector<train::Rejected> rejected;
        const auto newest = checkpoints.newest(rejected);
        QVERIFY(newest && newest->step == 4);
        QVERIFY(rejected.empty());
        QCOMPARE((*newest->read("optim/a/exp_avg"))[0][0].item<double>(), 4.0);
    }
    void leftoversOfTheDeadGo() {
        const test::TempDir dir;
        const fs::path folder = dir.path() / "checkpoints";
        const pid_t child = ::fork();
        if (child == 0) ::_exit(0);
        int status = 0;
        ::waitpid(child, &status, 0); // its number is nobody's now
        fs::create_directories(folder / ("step_00000004.tmp." + std::to_string(child)));
        fs::create_directories(folder / ("step_00000002.trash-" + std::to_string(child)));
        fs::create_directories(folder / "step_00000006.tmp.1"); // of a living process
        const train::Checkpoints checkpoints(folder);
        QVERIFY(checkpoints.prepare().ok());
        std::set<std::string> left;
        for (const auto& entry : fs::directory_iterator(folder)) left.insert(entry.path().filename().string());
        QCOMPARE(left, std::set<std::string>{"step_00000006.tmp.1"});
    }
    void keepAndBest() {
        const test::TempDir dir;
        const train::Checkpoints checkpoints(dir.path() / "checkpoints");
        QVERIFY(checkpoints.prepare().ok());
        for (const int64_t step : {2, 4, 6, 8}) {
            QVERIFY(checkpoints.write(snapshot(step)).ok());
            checkpoints.prune(2, 2);
        }
        QCOMPARE(checkpoints.steps(), (std::vector<int64_t>{2, 6, 8}));
        checkpoints.prune(1, 6);
        QCOMPARE(checkpoints.steps(), (std::vector<int64_t>{6, 8}));
        QCOMPARE(*readFile(dir.path() / "checkpoints/LATEST"), std::string("step_00000008\n"));
    }
    void bestIsLoadedAtTheEnd() {
        const test::TempDir dir;
        records::Recipe recipe = savesEvery(3);
        recipe.checkpoint.keep = 1;
        recipe.checkpoint.loadBestAtEnd = true;
        recipe.eval.every = 3;
        recipe.train.maxSteps = 24;
        recipe.optim.lr = 0.08; // learns, then shakes
        recipe.optim.clipNorm.reset();
        Start start(dir.path(), recipe);
        start.withEval = true;
        const auto outcome = start.run();
        QVERIFY(outcome.ok());
        const auto losses = start.recorded.series("eval.loss");
        auto best = losses.begin();
        for (auto it = losses.begin(); it != losses.end(); ++it)
            if (it->second < best->second) best = it;
        QCOMPARE(*outcome->evalLoss, best->second);
        std::vector<int64_t> want{best->first};
        if (best->first != 24) want.push_back(24);
        QCOMPARE(train::Checkpoints(dir.path() / "checkpoints").steps(), want);
        const auto again = train::evaluateLoss(*start.decoder, start.evalData(), recipe, nullptr, {});
        QCOMPARE(again.loss, best->second);
    }
    void earlyStop() {
        const test::TempDir dir;
        records::Recipe recipe = savesEvery(0);
        recipe.optim.lr = 0; // nothing ever improves
        recipe.eval.every = 2;
        recipe.earlyStopPatience = 2;
        Start start(dir.path(), recipe);
        start.withEval = true;
        const auto outcome = start.run();
        QVERIFY(outcome.ok() && !outcome->stopped);
        QCOMPARE(outcome->steps, 6); // best at 2, none at 4 and 6
        Start again(dir.path(), recipe);
        again.withEval = true;
        QCOMPARE(again.run()->steps, 6);
    }
    void nonfinitePolicies_data() {
        QTest::addColumn<QString>("policy");
        QTest::newRow("engine.md 11.15, stop") << QStringLiteral("stop");
        QTest::newRow("engine.md 11.15, skip: a bad weight does not heal") << QStringLiteral("skip");
        QTest::newRow("engine.md 11.15, rollback without a checkpoint") << QStringLiteral("rollback");
    }
    void nonfinitePolicies() {
        QFETCH(QString, policy);
        const test::TempDir dir;
        records::Recipe recipe = savesEvery(0);
        recipe.watchdog.nonfinite = policy.toStdString();
        Start start(dir.path(), recipe);
        start.onStep = [&](int64_t step) {
            if (step == 3) poison(*start.decoder, "model.layers.1.mlp.up_proj.weight");
        };
        const auto outcome = start.run();
        QVERIFY(!outcome.ok());
        QCOMPARE(outcome.error().code, std::string("train.nonfinite"));
        QVERIFY2(outcome.error().message.find("model.layers.1.mlp.up_proj.weight") != std::string::npos, outcome.error().message.c_str());
    }
    void rollbackRestores() {
        const test::TempDir dir;
        records::Recipe recipe = savesEvery(2);
        recipe.layerEvery = 0;
        Start start(dir.path(), recipe);
        bool done = false;
        start.onStep = [&](int64_t step) {
            if (step == 5 && !done) poison(*start.decoder, "model.layers.0.self_attn.q_proj.weight");
            if (step == 5) done = true;
        };
        const auto outcome = start.run();
        QVERIFY2(outcome.ok(), outcome ? "" : outcome.error().message.c_str());
        QCOMPARE(outcome->steps, 12);
        QVERIFY(start.recorded.told("warning.rollback"));
        const auto attempts = start.recorded.all<wire::Attempt>();
        QCOMPARE(attempts.back().fromStep, 5);
        const auto lr = start.recorded.series("train.lr");
        QCOMPARE(lr.at(4), 5e-3);
        QCOMPARE(lr.at(5), 2.5e-3); // halved for 100 steps
        for (const auto& [step, loss] : start.recorded.series("train.loss")) QVERIFY(std::isfinite(loss));
    }
    void watchdogStops() {
        const test::TempDir dir;
        records::Recipe recipe = savesEvery(0);
        recipe.watchdog.lossAbove = 0.1;
        Start start(dir.path(), recipe);
        const auto outcome = start.run();
        QVERIFY(!outcome.ok());
        QCOMPARE(outcome.error().code, std::string("train.diverged"));
    }
    void fullDiskIsToldBeforeWriting() {
        const test::TempDir dir;
        const train::Checkpoints checkpoints(dir.path() / "checkpoints", [](const fs::path&) { return uint64_t{1000}; });
        QVERIFY(checkpoints.prepare().ok());
        const auto written = checkpoints.write(snapshot(4));
        QVERIFY(!written.ok());
        QCOMPARE(written.error().code, std::string("disk.full"));
        QVERIFY(fs::is_empty(dir.path() / "checkpoints"));
    }
    void writeErrorLeavesTheOldOne() {
        // In a child: a limit on file sizes stands for a disk that fills up in the middle of a file.
        const test::TempDir dir;
        const train::Checkpoints checkpoints(dir.path() / "checkpoints");
        QVERIFY(checkpoints.prepare().ok());
        QVERIFY(checkpoints.write(snapshot(4)).ok());
        const pid_t child = ::fork();
        if (child == 0) {
            ::signal(SIGXFSZ, SIG_IGN);
            const rlimit limit{200, 200};
            ::setrlimit(RLIMIT_FSIZE, &limit);
            const auto written = checkpoints.write(snapshot(8));
            ::_exit(written.ok() ? 1 : 0);
        }
        int status = -1;
        ::waitpid(child, &status, 0);
        QCOMPARE(status, 0);
        std::set<std::string> left;
        for (const auto& entry : fs::directory_iterator(dir.path() / "checkpoints")) left.insert(entry.path().filename().string());
        QCOMPARE(left, (std::set<std::string>{"LATEST", "step_00000004"}));
        std::vector<train::Rejected> rejected;
        QVERIFY(checkpoints.newest(rejected).has_value());
    }
    void readOnlyFolderIsNamed() {
        const test::TempDir dir;
        std::ofstream(dir.path() / "checkpoints") << "a file where the folder should be";
        Start start(dir.path() / "run", tinyRecipe());
        std::ofstream(dir.path() / "run/checkpoints") << "in the way";
        const auto outcome = start.run();
        QVERIFY(!outcome.ok());
        QVERIFY(outcome.error().message.find("checkpoints") != std::string::npos);
    }
    void tooLittleData() {
        const test::TempDir dir;
        records::Recipe recipe = tinyRecipe();
        recipe.train.microBatch = 100000;
        Start start(dir.path(), recipe);
        const auto outcome = start.run();
        QVERIFY(!outcome.ok());
        QCOMPARE(outcome.error().code, std::string("data.empty"));
    }
    void underflowIsTold() {
        const test::TempDir dir;
        records::Recipe recipe = savesEvery(0);
        recipe.precision.mode = "bf16_pure";
        recipe.optim.lr = 1e-7;
        Start start(dir.path(), recipe);
        QVERIFY(start.run().ok());
        QVERIFY(start.recorded.told("warning.bf16_update_underflow"));
    }
    void cadenceThatNeverFires() {
        const test::TempDir dir;
        Start start(dir.path(), savesEvery(3000));
        QVERIFY(start.run().ok());
        QVERIFY(start.recorded.told("warning.cadence"));
    }
    void ballastIsGoneAfterwards() {
        const test::TempDir dir;
        Start start(dir.path(), tinyRecipe());
        bool seen = false;
        start.onStep = [&](int64_t) { seen = seen || fs::exists(dir.path() / ".ballast"); };
        QVERIFY(start.run().ok());
        QVERIFY(seen);
        QVERIFY(!fs::exists(dir.path() / ".ballast"));
    }
};

QTEST_GUILESS_MAIN(TrainFaultsTest)
#include "tst_train_faults.moc"
