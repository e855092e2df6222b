// SPDX-License-Identifier: GPL-3.0-or-later
// What: steps that do not fit into memory (engine.md 7; 11 row 13): LibTorch's own allocator gets a limit, so that every allocation of
// forward and backward can be the one that fails.
#include "limited_memory.h"
#include "training_fixture.h"

#include "train/train_state.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

using namespace qw;
using test::Start;

namespace {

using test::LimitedMemory;
LimitedMemory memory;

records::Recipe recipeOf(int64_t microBatch, const char* checkpointing = "none") {
    records::Recipe recipe = test::tinyRecipe();
    recipe.qat = test::int4Scheme();
    recipe.train.microBatch = microBatch;
    recipe.train.gradAccum = 8 / microBatch;
    recipe.data.packing = "none";
    recipe.activationCheckpointing = checkpointing;
    recipe.checkpoint.atEnd = true;
    return recipe;
}

struct Run {
    std::map<int64_t, double> losses;
    std::map<std::string, at::Tensor> weights;
    int64_t peak = 0; // bytes of training beyond what its start needs
};

Run undisturbed(const records::Recipe& recipe) {
    const test::TempDir dir;
    Start start(dir.path(), recipe);
    const int64_t before = LimitedMemory::live;
    LimitedMemory::forgetPeak();
    if (!start.run()) qFatal("a run without a limit failed");
    return {start.recorded.series("train.loss"), start.weights(), LimitedMemory::peak - before};
}

size_t times(const Start& start, const std::string& code) {
    size_t n = 0;
    for (const auto& notice : start.recorded.all<wire::Notice>()) n += notice.code == code ? 1 : 0;
    return n;
}

train::Fit fitOf(const std::filesystem::path& run) {
    const auto state = train::parseState(test::readText(run / "checkpoints/step_00000012/state.json"));
    return state ? state->state.fit : train::Fit{-1};
}

} // namespace

class OomTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { c10::SetCPUAllocator(&memory, 255); }
    void init() {
        LimitedMemory::limit = std::numeric_limits<int64_t>::max();
        LimitedMemory::failOnce = -1;
        LimitedMemory::refused = 0;
    }

    void oneFailureIsOneMoreTry() {
        const Run whole = undisturbed(recipeOf(4));
        for (const int64_t which : {0, 7, 40, 90, 150}) { // in forward and in backward
            const test::TempDir dir;
            Start start(dir.path(), recipeOf(4));
            start.onStep = [&](int64_t step) {
                if (step == 5) LimitedMemory::failOnce = which + 20; // behind the rows of the step
            };
            QVERIFY(start.run().ok());
            QCOMPARE(LimitedMemory::refused, int64_t(1));
            LimitedMemory::refused = 0;
            QVERIFY(!start.recorded.told("warning.oom_adapted"));
            QCOMPARE(start.recorded.series("train.loss"), whole.losses); // bit for bit
            QVERIFY(test::sameBits(start.weights(), whole.weights));
        }
    }

    void smallerMicroBatchesKeepTheStep() {
        const auto plain = [](int64_t microBatch) { // the quantizers' steps would make more of a rounding than it is
            records::Recipe recipe = recipeOf(microBatch);
            recipe.qat.reset();
            return recipe;
        };
        const Run four = undisturbed(plain(4)), two = undisturbed(plain(2));
        QVERIFY2(two.peak < four.peak, qPrintable(QStringLiteral("%1 %2").arg(two.peak).arg(four.peak)));
        const test::TempDir dir;
        {
            Start start(dir.path(), plain(4));
            start.onStep = [&](int64_t step) {
                if (step == 6) start.cancel.raise(CancelLevel::StopWithCheckpoint);
            };
            LimitedMemory::limit = LimitedMemory::live + (two.peak + four.peak) / 2;
            const auto outcome = start.run();
            QVERIFY2(outcome.ok() && outcome->stopped, outcome ? "" : outcome.error().message.c_str());
            QCOMPARE(times(start, "warning.oom_adapted"), size_t(1));
        }
        Start again(dir.path(), plain(4)); // goes on as it had become, without a search
        LimitedMemory::limit = LimitedMemory::live + (two.peak + four.peak) / 2;
        LimitedMemory::refused = 0;
        QVERIFY(again.run().ok());
        QCOMPARE(LimitedMemory::refused, int64_t(0));
        QCOMPARE(fitOf(dir.path()), (train::Fit{2, false, 0}));
        QVERIFY(test::sameBits(again.weights(), two.weights)); // a run that was small from the start
        for (const auto& [step, loss] : again.recorded.series("train.loss"))
            QVERIFY(std::abs(loss - four.losses.at(step)) <= 1e-5 * four.losses.at(step));
    }

    void layersAreComputedAgainWhenOneRowIsTooMuch() {
        const Run one = undisturbed(recipeOf(1)), layers = undisturbed(recipeOf(1, "layer"));
        QVERIFY2(layers.peak < one.peak, qPrintable(QStringLiteral("%1 %2").arg(layers.peak).arg(one.peak)));
        const test::TempDir dir;
        Start start(dir.path(), recipeOf(4));
        LimitedMemory::limit = LimitedMemory::live + (layers.peak + one.peak) / 2;
        const auto outcome = start.run();
        QVERIFY2(outcome.ok(), outcome ? "" : outcome.error().message.c_str());
        QCOMPARE(times(start, "warning.oom_adapted"), size_t(3)); // 2 rows, 1 row, layers
        QCOMPARE(fitOf(dir.path()), (train::Fit{1, true, 0}));
        QVERIFY(test::sameBits(start.weights(), layers.weights));
    }

    void quantizedInputsAreKeptAsCodes() { // performance.md 4.3
        records::Recipe recipe = recipeOf(4);
        const Run codes = undisturbed(recipe);
        recipe.kernels = "reference"; // keeps values
        const Run values = undisturbed(recipe);
        QVERIFY(test::sameBits(codes.weights, values.weights));
        constexpr int64_t kTokens = 4 * 32, kWidths = 2 * (32 + 32 + 32 + 64), kInputs = 2 * 4; // layers, inputs of a layer
        const int64_t spared =
            kTokens * (kWidths * 3 - kInputs * 8); // fp32 to int8; scale and zero point. At the peak some are freed already
        QVERIFY2(values.peak - codes.peak > spared / 2,
                 qPrintable(QStringLiteral("%1 %2 %3").arg(values.peak).arg(codes.peak).arg(spared)));
    }

    void whatNeverFitsSaysWhereTheMemoryGoes() {
        const Run one = undisturbed(recipeOf(1, "layer"));
        const test::TempDir dir;
        Start start(dir.path(), recipeOf(4));
        std::map<std::string, at::Tensor> before;
        start.onStep = [&](int64_t step) {
            if (step != 3) return;
            before = start.weights();
            LimitedMemory::limit = LimitedMemory::live + 4096;
        };
        const auto outcome = start.run();
        LimitedMemory::limit = std::numeric_limits<int64_t>::max();
        QVERIFY(!outcome.ok());
        QCOMPARE(outcome.error().code, std::string("engine.host_oom"));
        QCOMPARE(exitCode(outcome.error().code), 6);
        QVERIFY(outcome.error().hint.find("data.seq_len: 16") != std::string::npos);
        const auto detail = nlohmann::json::parse(outcome.error().detail);
        QVERIFY(detail["components"].size() >= 5 && detail["components"][0]["bytes"] >= detail["components"][1]["bytes"]);
        QCOMPARE(detail["micro_batch"].get<int>(), 1);
        QVERIFY(test::sameBits(start.weights(), before)); // no half step
    }

    void offMeansOneTryMore() {
        const test::TempDir dir;
        records::Recipe recipe = recipeOf(4);
        recipe.oomAuto = false;
        Start start(dir.path(), recipe);
        start.onStep = [&](int64_t) { LimitedMemory::limit = LimitedMemory::live + 4096; };
        const auto outcome = start.run();
        LimitedMemory::limit = std::numeric_limits<int64_t>::max();
        QVERIFY(!outcome.ok());
        QCOMPARE(exitCode(outcome.error().code), 6);
        QCOMPARE(LimitedMemory::refused, int64_t(2));
        QVERIFY(!start.recorded.told("warning.oom_adapted"));
    }
};

QTEST_GUILESS_MAIN(OomTest)
#include "tst_oom.moc"
