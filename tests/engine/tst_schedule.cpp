// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/schedule.h"
#include "test_data.h"
#include "train/trainer.h"
#include "train/watchdog.h"

#include <cmath>
#include <limits>

using namespace qw;

namespace {

records::ScheduleBlock schedule(const char* name, int64_t warmup) {
    records::ScheduleBlock s;
    s.name = name;
    s.warmupSteps = warmup;
    s.warmupRatio = 0;
    s.minLrRatio = 0.1;
    s.decaySteps = 20;
    return s;
}

bool within1Ulp(double a, double b) { return a == b || std::nextafter(a, b) == b; }

} // namespace

class ScheduleTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void factors_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("step");
        QTest::addColumn<double>("want");
        // S = 100, W = 10 at k in {0, 1, W-1, W, W+1, S-1}; cosine rows computed with CPython's math module from training.md 5.
        const std::vector<int> steps{0, 1, 9, 10, 11, 99};
        const std::map<const char*, std::vector<double>> rows{
            {"constant", {1, 1, 1, 1, 1, 1}},
            {"constant_warmup", {0, 0.1, 0.9, 1, 1, 1}},
            {"linear", {0, 0.1, 0.9, 1, 89.0 / 90.0, 1.0 / 90.0}},
            {"cosine", {0, 0.1, 0.9, 1, 0.9996954135095479, 0.00030458649045211894}},
            {"cosine_min", {0, 0.1, 0.9, 1, 0.9997258721585931, 0.10027412784140691}},
            {"wsd", {0, 0.1, 0.9, 1, 1, 0.145}},
        };
        for (const auto& [name, wants] : rows)
            for (size_t i = 0; i < steps.size(); ++i)
                QTest::addRow("training.md 5, %s, k = %d", name, steps[i]) << QString::fromLatin1(name) << steps[i] << wants[i];
    }
    void factors() {
        QFETCH(QString, name);
        QFETCH(int, step);
        QFETCH(double, want);
        const double got = config::lrFactor(schedule(name.toLatin1().constData(), 10), step, 100);
        QVERIFY2(within1Ulp(got, want), qPrintable(QString::number(got, 'g', 17)));
    }
    void warmup_data() {
        QTest::addColumn<int>("steps");
        QTest::addColumn<double>("ratio");
        QTest::addColumn<int>("total");
        QTest::addColumn<int>("want");
        QTest::newRow("steps win") << 7 << 0.5 << 100 << 7;
        QTest::newRow("ratio rounds up") << 0 << 0.03 << 101 << 4;
        QTest::newRow("none") << 0 << 0.0 << 100 << 0;
    }
    void warmup() {
        QFETCH(int, steps);
        QFETCH(double, ratio);
        QFETCH(int, total);
        QFETCH(int, want);
        records::ScheduleBlock s;
        s.warmupSteps = steps;
        s.warmupRatio = ratio;
        QCOMPARE(config::warmupSteps(s, total), want);
    }
    void warmupFromOneWastesNoStep() {
        records::ScheduleBlock s = schedule("linear", 4);
        s.warmupFrom = "one";
        QCOMPARE(config::lrFactor(s, 0, 20), 0.2);
        QCOMPARE(config::lrFactor(s, 3, 20), 0.8);
        QCOMPARE(config::lrFactor(s, 4, 20), 1.0);
    }
    void warmupAsLongAsTheRun() {
        QCOMPARE(config::lrFactor(schedule("cosine", 10), 9, 10), 0.9);
        QCOMPARE(config::lrFactor(schedule("linear", 10), 9, 10), 0.9);
    }
    void cadence() {
        QCOMPARE(config::resolveCadence(0, 100), 0);
        QCOMPARE(config::resolveCadence(7, 100), 7);
        QCOMPARE(config::resolveCadence(0.25, 100), 25);
        QCOMPARE(config::resolveCadence(0.001, 100), 1);
    }
    void steps_data() {
        QTest::addColumn<int>("rows");
        QTest::addColumn<QString>("partial");
        QTest::addColumn<bool>("dropLast");
        QTest::addColumn<double>("epochs");
        QTest::addColumn<int>("maxSteps");
        QTest::addColumn<int>("perEpoch");
        QTest::addColumn<int>("rowsPerEpoch");
        QTest::addColumn<int>("total");
        // micro_batch 2, grad_accum 3; by hand from training.md 1
        QTest::newRow("7 full micro-batches, last group stepped") << 15 << QStringLiteral("step") << true << 1.0 << 0 << 3 << 14 << 3;
        QTest::newRow("left-over row kept") << 15 << QStringLiteral("step") << false << 1.0 << 0 << 3 << 15 << 3;
        QTest::newRow("partial group dropped") << 15 << QStringLiteral("drop") << true << 1.0 << 0 << 2 << 12 << 2;
        QTest::newRow("part of an epoch rounds up") << 15 << QStringLiteral("step") << true << 1.5 << 0 << 3 << 14 << 5;
        QTest::newRow("max_steps wins") << 15 << QStringLiteral("step") << true << 1.5 << 40 << 3 << 14 << 40;
        QTest::newRow("too few rows") << 1 << QStringLiteral("step") << true << 1.0 << 0 << 0 << 0 << 0;
    }
    void steps() {
        QFETCH(int, rows);
        QFETCH(QString, partial);
        QFETCH(bool, dropLast);
        QFETCH(double, epochs);
        QFETCH(int, maxSteps);
        QFETCH(int, perEpoch);
        QFETCH(int, rowsPerEpoch);
        QFETCH(int, total);
        records::Recipe recipe;
        recipe.train.microBatch = 2;
        recipe.train.gradAccum = 3;
        recipe.train.epochs = epochs;
        recipe.train.maxSteps = maxSteps;
        recipe.train.partialAccumulation = partial.toStdString();
        recipe.data.dropLast = dropLast;
        QCOMPARE(config::epochPlan(recipe, rows).stepsPerEpoch, perEpoch);
        QCOMPARE(config::epochPlan(recipe, rows).rowsPerEpoch, rowsPerEpoch);
        QCOMPARE(config::totalSteps(recipe, rows), total);
    }
    void watchdogSeesAThreshold() {
        records::Watchdog rules;
        rules.lossAbove = 5.0;
        rules.patience = 3;
        train::WatchdogState state;
        train::DivergenceWatch watch(rules, state);
        for (const double loss : {6.0, 6.0, 4.0, 6.0, 6.0}) QVERIFY(!watch.see(loss));
        QVERIFY(watch.see(6.0));
    }
    void watchdogComparesWithTheMedian() {
        records::Watchdog rules;
        train::WatchdogState state;
        train::DivergenceWatch watch(rules, state);
        for (int i = 0; i < 60; ++i) QVERIFY(!watch.see(1.0));
        for (int i = 0; i < 5; ++i) QVERIFY(!watch.see(9.0)); // one hard stretch inside a block of ten
        for (int i = 0; i < 35; ++i) QVERIFY(!watch.see(1.0));
        std::optional<std::string> reason;
        int more = 0;
        while (!reason && more < 60) {
            ++more;
            reason = watch.see(4.0);
        }
        QCOMPARE(more, 30); // three means of ten
    }
};

QTEST_GUILESS_MAIN(ScheduleTest)
#include "tst_schedule.moc"
