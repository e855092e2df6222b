// SPDX-License-Identifier: GPL-3.0-or-later
// Training as a whole: it learns, it resumes to the same bits, it stops and pauses when asked.
#include "training_fixture.h"

#include "base/files.h"
#include "train/checkpoints.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/tensor.h>
#include <cmath>

namespace fs = std::filesystem;
using namespace qw;
using test::Start;
using test::tinyRecipe;

namespace {

records::Recipe variant(const QString& name) {
    records::Recipe recipe = tinyRecipe();
    if (name.contains(QStringLiteral("sgd"))) {
        recipe.optim.name = "sgd";
        recipe.optim.lr = 0.1;
        recipe.optim.momentum = 0.9;
    }
    if (name.contains(QStringLiteral("qat"))) recipe.qat = test::int4Scheme();
    if (name.contains(QStringLiteral("delayed"))) recipe.qat->fakeQuantAfterSteps = 5;
    if (name.contains(QStringLiteral("master"))) recipe.precision.mode = "bf16_master";
    if (name.contains(QStringLiteral("pure"))) recipe.precision.mode = "bf16_pure";
    if (name.contains(QStringLiteral("layers"))) recipe.activationCheckpointing = "layer";
    if (name.contains(QStringLiteral("cosine"))) recipe.schedule.name = "cosine";
    return recipe;
}

// Every file of a checkpoint but state.json, which knows about cadences.
std::map<std::string, std::string> tensorsOf(const fs::path& dir) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(dir))
        if (entry.path().extension() == ".safetensors") files[entry.path().filename().string()] = *readFile(entry.path());
    return files;
}

} // namespace

class TrainerTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void learns_data() {
        QTest::addColumn<bool>("tied");
        for (const char* name :
             {"adamw", "adamw qat", "sgd", "adamw master", "adamw pure", "adamw qat master", "adamw layers", "adamw qat layers"})
            for (const bool tied : {false, true}) QTest::addRow("%s%s", name, tied ? ", tied" : "") << tied;
    }
    void learns() {
        QFETCH(bool, tied);
        const test::TempDir dir;
        records::Recipe recipe = variant(QString::fromLatin1(QTest::currentDataTag()));
        recipe.train.maxSteps = 30;
        Start start(dir.path(), recipe, tied);
        const auto outcome = start.run();
        QVERIFY2(outcome.ok(), outcome ? "" : outcome.error().message.c_str());
        QCOMPARE(outcome->steps, 30);
        const auto loss = start.recorded.series("train.loss");
        QCOMPARE(loss.size(), size_t(30));
        QVERIFY2(loss.at(30) < 0.8 * loss.at(1), qPrintable(QStringLiteral("%1 -> %2").arg(loss.at(1)).arg(loss.at(30))));
        QVERIFY(std::abs(loss.at(1) - std::log(32.0)) < 0.3); // a random start knows nothing
        QCOMPARE(outcome->finalLoss, loss.at(30));
    }
    void streamsAreThere() {
        const test::TempDir dir;
        records::Recipe recipe = variant(QStringLiteral("qat"));
        recipe.eval.every = 6;
        Start start(dir.path(), recipe);
        start.withEval = true;
        QVERIFY(start.run().ok());
        for (const char* name :
             {"train.loss", "train.lr", "train.grad_norm", "train.clip_coef", "train.epoch", "perf.tokens_per_s", "perf.label_tokens_per_s",
              "time.data", "time.forward", "time.backward", "time.optimizer", "time.telemetry", "time.total"})
            QCOMPARE(start.recorded.series(name).size(), size_t(12));
        for (const char* name : {"mem.rss", "mem.free_disk"}) QVERIFY(!start.recorded.series(name).empty());
        for (const char* name : {"eval.loss", "eval.ppl"}) QCOMPARE(start.recorded.series(name).size(), size_t(2));
        std::set<std::string> layers, values;
        for (const auto& stats : start.recorded.all<wire::LayerStats>()) {
            layers.insert(stats.layer);
            for (const auto& [key, value] : stats.values) values.insert(key);
        }
        QVERIFY(layers.contains("model.layers.0.mlp.up_proj") && layers.contains("model.layers.1.self_attn.q_proj"));
        QVERIFY(
            (values == std::set<std::string>{"clip_frac", "flip_rate", "scale_drift_max", "scale_drift_mean", "update_ratio", "w_sqnr"}));
    }
    void telemetryOffChangesNoNumber() {
        const test::TempDir on, off;
        records::Recipe recipe = variant(QStringLiteral("qat"));
        Start with(on.path(), recipe);
        recipe.telemetry = false;
        Start without(off.path(), recipe);
        QVERIFY(with.run().ok() && without.run().ok());
        QCOMPARE(with.recorded.series("train.loss"), without.recorded.series("train.loss"));
        QVERIFY(test::sameBits(with.weights(), without.weights()));
        QVERIFY(without.recorded.all<wire::LayerStats>().empty());
        QVERIFY(without.recorded.series("perf.tokens_per_s").empty());
    }
    void referenceKernelsGiveTheSameBits_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"adamw qat", "adamw qat layers", "adamw qat pure", "adamw qat master", "adamw qat delayed"})
            QTest::addRow("performance.md 11.3, %s", name) << QString::fromLatin1(name);
    }
    void referenceKernelsGiveTheSameBits() { // they also keep the values of quantized inputs, where the others keep codes
        QFETCH(QString, name);
        const test::TempDir a, b;
        records::Recipe recipe = variant(name);
        recipe.train.maxSteps = 50;
        Start fused(a.path(), recipe);
        recipe.kernels = "reference";
        Start reference(b.path(), recipe);
        QVERIFY(fused.run().ok() && reference.run().ok());
        QCOMPARE(fused.recorded.series("train.loss"), reference.recorded.series("train.loss"));
        QVERIFY(test::sameBits(fused.weights(), reference.weights()));
    }
    void layerCheckpointingChangesNoBit() {
        const test::TempDir a, b;
        Start plain(a.path(), variant(QStringLiteral("qat"))), layers(b.path(), variant(QStringLiteral("qat layers")));
        QVERIFY(plain.run().ok() && layers.run().ok());
        QCOMPARE(plain.recorded.series("train.loss"), layers.recorded.series("train.loss"));
        QVERIFY(test::sameBits(plain.weights(), layers.weights()));
    }
    void resumeIsBitIdentical_data() {
        QTest::addColumn<int>("k");
        for (const char* name :
             {"adamw", "sgd", "adamw qat", "sgd qat", "adamw qat delayed", "adamw master qat", "adamw pure", "adamw cosine layers"})
            for (const int k : {1, 6, 11}) QTest::addRow("%s, stop after %d of 12", name, k) << k;
    }
    void resumeIsBitIdentical() {
        QFETCH(int, k);
        const QString name = QString::fromLatin1(QTest::currentDataTag());
        const test::TempDir whole, cut;
        records::Recipe recipe = variant(name.section(QLatin1Char(','), 0, 0));
        recipe.eval.every = 3;
        Start reference(whole.path(), recipe);
        reference.withEval = true;
        QVERIFY(reference.run().ok());

        Start first(cut.path(), recipe);
        first.withEval = true;
        first.onStep = [&](int64_t step) {
            if (step == k) first.cancel.raise(CancelLevel::StopWithCheckpoint);
        };
        const auto stopped = first.run();
        QVERIFY(stopped.ok() && stopped->stopped && !stopped->cancelled);
        QCOMPARE(stopped->steps, k);
        Start second(cut.path(), recipe);
        second.withEval = true;
        const auto outcome = second.run();
        QVERIFY2(outcome.ok(), outcome ? "" : outcome.error().message.c_str());
        QCOMPARE(second.recorded.all<wire::Attempt>().front().fromStep, k + 1);
        QVERIFY(second.recorded.all<wire::Attempt>().front().bitwise);

        QVERIFY(test::sameBits(reference.weights(), second.weights()));
        for (const char* stream : {"train.loss", "train.grad_norm", "train.lr", "eval.loss"}) {
            auto joined = first.recorded.series(stream);
            joined.merge(second.recorded.series(stream));
            QCOMPARE(joined, reference.recorded.series(stream));
        }
        QCOMPARE(tensorsOf(whole.path() / "checkpoints/step_00000012"), tensorsOf(cut.path() / "checkpoints/step_00000012"));
    }
    void killInTheMiddleOfAStepRejoins() {
        const test::TempDir whole, cut;
        records::Recipe recipe = variant(QStringLiteral("qat"));
        recipe.checkpoint.every = 4;
        recipe.checkpoint.async = false; // one in flight would be left: the run would go on from step 5 on a slow disk
        Start reference(whole.path(), recipe);
        QVERIFY(reference.run().ok());
        Start first(cut.path(), recipe);
        first.onEvent = [&](const wire::Payload& event) { // between two micro-batches of step 10
            const auto* metrics = std::get_if<wire::Metrics>(&event);
            if (metrics && metrics->step == 9) first.cancel.raise(CancelLevel::Now);
        };
        const auto stopped = first.run();
        QVERIFY(stopped.ok() && stopped->cancelled);
        Start second(cut.path(), recipe);
        QVERIFY(second.run().ok());
        QCOMPARE(second.recorded.all<wire::Attempt>().front().fromStep, 9);
        auto joined = first.recorded.series("train.loss");
        for (const auto& [step, loss] : second.recorded.series("train.loss")) joined[step] = loss;
        QCOMPARE(joined, reference.recorded.series("train.loss"));
        QVERIFY(test::sameBits(reference.weights(), second.weights()));
    }
    void finishedRunIsNotTrainedAgain() {
        const test::TempDir dir;
        Start first(dir.path(), tinyRecipe());
        first.withEval = true;
        const auto done = first.run();
        QVERIFY(done.ok());
        Start again(dir.path(), tinyRecipe());
        again.withEval = true;
        const auto outcome = again.run();
        QVERIFY(outcome.ok());
        QVERIFY(again.recorded.series("train.loss").empty());
        QCOMPARE(outcome->evalLoss, done->evalLoss);
        QVERIFY(test::sameBits(first.weights(), again.weights()));
    }
    void otherRecipeIsRefused_data() {
        QTest::addColumn<QString>("key");
        for (const char* key : {"seed", "data.seq_len", "optim.name", "precision.mode", "qat", "train.max_steps", "train.grad_accum"})
            QTest::addRow("training.md 12, %s", key) << QString::fromLatin1(key);
    }
    void otherRecipeIsRefused() {
        QFETCH(QString, key);
        const test::TempDir dir;
        records::Recipe recipe = variant(QStringLiteral("cosine"));
        {
            Start first(dir.path(), recipe);
            QVERIFY(first.run().ok());
        }
        if (key == QStringLiteral("seed")) recipe.seeds = {12};
        if (key == QStringLiteral("data.seq_len")) recipe.data.seqLen = 24;
        if (key == QStringLiteral("optim.name")) recipe.optim.name = "sgd";
        if (key == QStringLiteral("precision.mode")) recipe.precision.mode = "bf16_pure";
        if (key == QStringLiteral("qat")) recipe.qat = test::int4Scheme();
        if (key == QStringLiteral("train.max_steps")) recipe.train.maxSteps = 20;
        if (key == QStringLiteral("train.grad_accum")) recipe.train.gradAccum = 1;
        Start second(dir.path(), recipe);
        const auto outcome = second.run();
        QVERIFY(!outcome.ok());
        QCOMPARE(outcome.error().code, std::string("train.resume_refused"));
        QVERIFY2(outcome.error().message.find(key.toStdString()) != std::string::npos, outcome.error().message.c_str());
    }
    void moreStepsMayBeAskedFor() {
        const test::TempDir dir, whole;
        records::Recipe recipe = tinyRecipe(); // constant: its shape does not depend on the length
        {
            Start first(dir.path(), recipe);
            QVERIFY(first.run().ok());
        }
        recipe.train.maxSteps = 16;
        recipe.checkpoint.keep = 5;
        Start longer(dir.path(), recipe), reference(whole.path(), recipe);
        const auto outcome = longer.run();
        QVERIFY2(outcome.ok(), outcome ? "" : outcome.error().message.c_str());
        QCOMPARE(outcome->steps, 16);
        QVERIFY(reference.run().ok());
        QVERIFY(test::sameBits(longer.weights(), reference.weights()));
    }
    void pauseWaitsAndGoesOn() {
        const test::TempDir dir, other;
        Start start(dir.path(), tinyRecipe()), reference(other.path(), tinyRecipe());
        int64_t pausedAfter = -1, lastStep = 0;
        start.onStep = [&](int64_t step) {
            lastStep = step;
            if (step == 5) start.cancel.raise(CancelLevel::Pause);
        };
        start.onEvent = [&](const wire::Payload& event) {
            const auto* state = std::get_if<wire::StateChange>(&event);
            if (!state || state->state != records::RunState::Paused) return;
            pausedAfter = lastStep;
            start.cancel.resume();
        };
        QVERIFY(start.run().ok() && reference.run().ok());
        QCOMPARE(pausedAfter, 5);
        const auto states = start.recorded.all<wire::StateChange>();
        QCOMPARE(states.size(), size_t(2));
        QVERIFY(states[1].state == records::RunState::Running);
        QVERIFY(test::sameBits(start.weights(), reference.weights()));
    }
    void stopWithoutCheckpoint() {
        const test::TempDir dir;
        Start start(dir.path(), tinyRecipe());
        start.onStep = [&](int64_t step) {
            if (step == 3) start.cancel.raise(CancelLevel::StopAtStep);
        };
        const auto outcome = start.run();
        QVERIFY(outcome.ok() && outcome->stopped);
        QCOMPARE(outcome->steps, 3);
        QVERIFY(train::Checkpoints(dir.path() / "checkpoints").steps().empty());
    }
    void checkpointOnRequest() {
        const test::TempDir dir;
        Start start(dir.path(), tinyRecipe());
        start.onStep = [&](int64_t step) {
            if (step == 3) start.checkpointRequested = true;
        };
        QVERIFY(start.run().ok());
        QVERIFY(!start.checkpointRequested);
        QCOMPARE(train::Checkpoints(dir.path() / "checkpoints").steps(), (std::vector<int64_t>{3, 12}));
    }
    void evaluationLossIsTheTokenMean() {
        const test::TempDir dir;
        Start start(dir.path(), tinyRecipe());
        records::Recipe recipe = tinyRecipe();
        const auto all = train::evaluateLoss(*start.decoder, start.evalData(), recipe, nullptr, {});
        recipe.eval.batch = 3;
        const auto other = train::evaluateLoss(*start.decoder, start.evalData(), recipe, nullptr, {});
        QVERIFY(std::abs(all.loss - other.loss) < 1e-7);
        double sum = 0;
        int64_t labels = 0;
        for (int64_t r = 0; r < start.evalData().rows(); ++r) { // row by row with full logits
            const auto micro = start.evalData().batch(std::vector{r}, 32, 1);
            model::Rows rows{at::tensor(micro.ids).view({1, -1}), micro.starts};
            const at::Tensor logits = start.decoder->logits(start.decoder->hidden(rows)).view({-1, 32});
            const double row =
                at::cross_entropy_loss(logits, at::tensor(micro.labels), {}, at::Reduction::Sum, data::kIgnore).item<double>();
            sum += row;
            labels += micro.validLabels;
            QVERIFY(std::abs(-all.items[static_cast<size_t>(r)].ll[0] - row) < 1e-4);
            QCOMPARE(all.items[static_cast<size_t>(r)].tokens, micro.validLabels);
        }
        QCOMPARE(all.labels, labels);
        QVERIFY(std::abs(all.loss - sum / static_cast<double>(labels)) < 1e-6);
    }
    void delayBeyondTheEndIsAnError() {
        const test::TempDir dir;
        records::Recipe recipe = variant(QStringLiteral("qat delayed"));
        recipe.train.maxSteps = 5;
        Start start(dir.path(), recipe);
        const auto outcome = start.run();
        QVERIFY(!outcome.ok());
        QCOMPARE(outcome.error().code, std::string("config.conflict"));
    }
    void delayTrainsPlainlyFirst() {
        const test::TempDir a, b;
        Start plain(a.path(), tinyRecipe()), delayed(b.path(), variant(QStringLiteral("qat delayed")));
        QVERIFY(plain.run().ok() && delayed.run().ok());
        const auto one = plain.recorded.series("train.loss"), two = delayed.recorded.series("train.loss");
        for (int64_t step = 1; step <= 5; ++step) QCOMPARE(one.at(step), two.at(step)); // steps 0..4
        QVERIFY(one.at(6) != two.at(6));
    }
    void changedDataStopsTheRun() {
        const test::TempDir dir;
        records::Recipe recipe = tinyRecipe();
        Start start(dir.path(), recipe);
        test::writeLetters(dir.path() / "train.txt", 151, 0);
        const auto outcome = start.run();
        QVERIFY(!outcome.ok());
        QCOMPARE(outcome.error().code, std::string("data.changed"));
    }
};

QTEST_GUILESS_MAIN(TrainerTest)
#include "tst_trainer.moc"
