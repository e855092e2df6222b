// SPDX-License-Identifier: GPL-3.0-or-later
// What: the projection of run folders into SQLite: exactly once, resumed runs, summaries, two front ends.
#include "store_fixture.h"

#include <cmath>

using namespace qw;
using namespace qw::test;
using store::Store;

class StoreTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void projectsARunCompletely() {
        const TempDir dir;
        const auto folder = writeSampleRun(dir.path());
        auto opened = Store::open(dir.path());
        QVERIFY2(opened.ok(), qPrintable(QString::fromStdString(opened.ok() ? "" : opened.error().message)));
        Store& db = *opened;
        QVERIFY(db.sync().ok());
        const auto runs = db.runs();
        QCOMPARE(runs->size(), size_t{1});
        const store::RunInfo& run = runs->front();
        QCOMPARE(run.state, records::RunState::Completed);
        QCOMPARE(run.step, int64_t{kSampleSteps});
        QCOMPARE(run.totalSteps, int64_t{kSampleSteps});
        QCOMPARE(run.exitCode, std::optional<int>(0));
        QCOMPARE(run.dir, folder.dir);
        QCOMPARE(run.model->arch, std::string("llama"));
        QCOMPARE(run.model->quantizedBytes, int64_t{4242});
        QCOMPARE(run.identity.tags, (std::vector<std::string>{"a", "b"}));
        const std::string uid = run.identity.uid;
        QCOMPARE(db.layers(uid)->size(), size_t{2});
        QCOMPARE(db.layers(uid)->at(1).skipReason, std::string("group size 32 does not divide 30 columns"));
        QCOMPARE(db.artifacts(uid)->size(), size_t{2});
        QCOMPARE(db.events(uid, 2)->size(), size_t{1});
        const auto series = db.series(uid, "train.loss");
        QCOMPARE(series->step.size(), size_t{kSampleSteps});
        for (int64_t s = 1; s <= kSampleSteps; ++s) QCOMPARE(series->mean[static_cast<size_t>(s - 1)], sampleLoss(s));
        const auto lr = db.series(uid, "train.lr");
        QCOMPARE(lr->mean[10], 1e-3 / 11); // needs all 53 bits
        const auto sqnr = db.layerSeries(uid, "layers.0.q", "w_sqnr");
        QCOMPARE(sqnr->step.size(), size_t{kSampleSteps / 10});
        QCOMPARE(sqnr->mean.back(), 30.25);
        const auto results = db.results(uid);
        QCOMPARE(results->size(), size_t{1});
        QCOMPARE(results->front().result.metrics.size(), size_t{2});
        QCOMPARE(results->front().items, int64_t{3});
        const auto items = db.items(results->front().result.uid);
        QCOMPARE(items->at(2).ll, (std::vector<double>{-1.5, -0.1 / 3}));
        QCOMPARE(items->at(2).correctNorm, 0);
        QCOMPARE(db.findCompleted("key-1").operator*()->identity.uid, uid);
        QVERIFY(!db.findCompleted("key-2")->has_value());
        QVERIFY(db.check()->empty());
    }

    void repeatedAndPartialIngestionGiveTheSame_data() {
        QTest::addColumn<int>("pieces");
        for (const int pieces : {1, 2, 7, 40}) QTest::newRow(qPrintable(QString::number(pieces))) << pieces;
    }
    void repeatedAndPartialIngestionGiveTheSame() {
        QFETCH(int, pieces);
        const TempDir dir;
        const auto folder = writeSampleRun(dir.path(), 3000);
        const std::string log = *readFile(folder.events());
        std::filesystem::resize_file(folder.events(), 0);
        {
            Store db = *Store::open(dir.path());
            for (int i = 1; i <= pieces; ++i) {
                // Cut anywhere, as a reader sees a file that is being written.
                const auto part = log.substr(0, log.size() * static_cast<size_t>(i) / static_cast<size_t>(pieces));
                std::ofstream(folder.events(), std::ios::binary).write(part.data(), static_cast<std::streamsize>(part.size()));
                QVERIFY(db.ingestRun(folder).ok());
                QCOMPARE(db.ingestRun(folder)->events, int64_t{0});
                if (i % 3 == 0) db = *Store::open(dir.path()); // another process goes on
            }
        }
        const std::string pieced = dumpStore(dir.path());
        QVERIFY(Store::rebuild(dir.path()).ok());
        QCOMPARE(dumpStore(dir.path()), pieced);
        QVERIFY(pieced.find("train.loss") != std::string::npos);
    }

    void twoFrontEndsIngestOnce() {
        const TempDir dir;
        const auto folder = writeSampleRun(dir.path(), 2500);
        Store one = *Store::open(dir.path()), two = *Store::open(dir.path());
        QVERIFY(one.ingestRun(folder)->events > 0);
        QVERIFY(two.sync().ok()); // nothing new
        const auto before = dumpStore(dir.path());
        appendMetrics(folder, 2501, 2600);
        QVERIFY(two.ingestRun(folder)->ownedByOther); // one holds the lease
        QCOMPARE(dumpStore(dir.path()), before);
        one = *Store::open(dir.path()); // closing lets go
        QVERIFY(two.ingestRun(folder)->events > 0);
        appendMetrics(folder, 2601, 2700);
        QVERIFY(one.ingestRun(folder)->ownedByOther);
        QVERIFY(two.ingestRun(folder)->events > 0);
        const std::string uid = one.runs()->front().identity.uid;
        QCOMPARE(one.series(uid, "train.loss")->step.size(), size_t{2700});
    }

    // Threads stand for front ends: each has its own connections. Whoever holds the lease works, the others wait their turn.
    void frontEndsRaceWithoutDuplicates() {
        const TempDir dir;
        const auto folder = writeSampleRun(dir.path(), 4000);
        std::vector<std::thread> threads;
        std::atomic<int> failures = 0;
        for (int i = 0; i < 3; ++i)
            threads.emplace_back([&] {
                for (int round = 0; round < 5; ++round) {
                    auto db = Store::open(dir.path());
                    if (!db || !db->ingestRun(folder)) ++failures;
                }
            });
        for (auto& thread : threads) thread.join();
        QCOMPARE(failures.load(), 0);
        const std::string raced = dumpStore(dir.path());
        QVERIFY(Store::rebuild(dir.path()).ok());
        QCOMPARE(dumpStore(dir.path()), raced);
    }

    void resumeReplacesPointsFromItsStep() {
        const TempDir dir;
        OpenRun run(dir.path());
        append(run.log, wire::StateChange{records::RunState::Running, "train", {}});
        append(run.log, wire::Attempt{1, "h", "cpu", "2.11", "b", 1, 0, 1, true});
        for (int64_t s = 1; s <= 1700; ++s) append(run.log, wire::Metrics{s, {{"train.loss", 1.0}, {"train.lr", 0.1}}, 0, {}});
        for (int64_t s = 100; s <= 1700; s += 100) append(run.log, wire::LayerStats{s, "q", {{"w_sqnr", 1.0}}, 0, {}});
        append(run.log, wire::EvalDone{sampleResult("early", 1000)});
        append(run.log, wire::EvalDone{sampleResult("late", 1500)});
        QVERIFY(run.log.sync().ok());
        Store db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        append(run.log, wire::Attempt{2, "h", "cpu", "2.11", "b", 2, 1201, 1, false});
        for (int64_t s = 1201; s <= 1300; ++s) append(run.log, wire::Metrics{s, {{"train.loss", 2.0}}, 0, {}});
        append(run.log, wire::LayerStats{1300, "q", {{"w_sqnr", 2.0}}, 0, {}});
        QVERIFY(run.log.sync().ok());
        QVERIFY(db.sync().ok());
        const auto loss = db.series(run.uid, "train.loss");
        QCOMPARE(loss->step.size(), size_t{1300});
        for (size_t i = 0; i < 1300; ++i) {
            QCOMPARE(loss->step[i], static_cast<int64_t>(i + 1));
            QCOMPARE(loss->mean[i], i < 1200 ? 1.0 : 2.0);
        }
        QCOMPARE(db.series(run.uid, "train.lr")->step.back(), int64_t{1200}); // the second attempt has not written it yet
        QCOMPARE(db.layerSeries(run.uid, "q", "w_sqnr")->step,
                 (std::vector<int64_t>{100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100, 1200, 1300}));
        QCOMPARE(db.layerSeries(run.uid, "q", "w_sqnr")->mean.back(), 2.0);
        QCOMPARE(db.results(run.uid)->size(), size_t{1});
        QCOMPARE(db.results(run.uid)->front().result.uid, std::string("early"));
        const auto attempts = *db.attempts(run.uid);
        QCOMPARE(attempts.size(), size_t{2});
        QCOMPARE(attempts[0].toStep, int64_t{1700});
        QCOMPARE(attempts[0].reason, std::string("interrupted"));
        QCOMPARE(attempts[1].fromStep, int64_t{1201});
        QVERIFY(!db.run(run.uid)->bitwise);
        const auto all = *db.metrics(run.uid);
        QCOMPARE(all[0].n, int64_t{1300});
        QCOMPARE(all[0].minStep, int64_t{1});
        const std::string resumed = dumpStore(dir.path());
        db = *Store::open(dir.path());
        { Store closing = std::move(db); }
        QVERIFY(Store::rebuild(dir.path()).ok());
        QCOMPARE(dumpStore(dir.path()), resumed);
    }

    void aStepThatComesAgainReplacesTheRest() {
        const TempDir dir;
        OpenRun run(dir.path());
        for (int64_t s = 1; s <= 600; ++s) append(run.log, wire::Metrics{s, {{"a", 1.0}}, 0, {}});
        for (int64_t s = 300; s <= 305; ++s) append(run.log, wire::Metrics{s, {{"a", 2.0}}, 0, {}}); // a rollback inside the attempt
        QVERIFY(run.log.sync().ok());
        Store db = *Store::open(dir.path());
        QVERIFY(db.ingestRun(run.folder).ok());
        const auto data = db.series(run.uid, "a");
        QCOMPARE(data->step.size(), size_t{305});
        QCOMPARE(data->mean[298], 1.0);
        QCOMPARE(data->mean[299], 2.0);
    }

    void summariesKeepASpike_data() {
        QTest::addColumn<int64_t>("from");
        QTest::addColumn<int64_t>("to");
        QTest::addColumn<int>("points");
        QTest::newRow("whole, level 2") << int64_t{0} << int64_t{60000} << 100;
        QTest::newRow("whole, level 1") << int64_t{0} << int64_t{60000} << 1000;
        QTest::newRow("around the spike") << int64_t{31000} << int64_t{31500} << 50;
        QTest::newRow("ends at the spike") << int64_t{7} << int64_t{31234} << 64;
        QTest::newRow("starts at the spike") << int64_t{31234} << int64_t{49999} << 64;
    }
    void summariesKeepASpike() {
        QFETCH(int64_t, from);
        QFETCH(int64_t, to);
        QFETCH(int, points);
        static const TempDir dir; // shared by the rows: writing 50 000 steps once is enough
        static const std::string uid = [] {
            OpenRun run(dir.path());
            for (int64_t s = 1; s <= 50000; ++s)
                append(run.log, wire::Metrics{s,
                                              {{"a", s == 31234   ? 1234.5678
                                                     : s == 40000 ? std::nan("")
                                                                  : std::sin(static_cast<double>(s) / 300)}},
                                              0,
                                              {}});
            return run.uid;
        }();
        Store db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        const auto data = *db.series(uid, "a", from, to, static_cast<size_t>(points));
        QVERIFY(data.step.size() <= static_cast<size_t>(points));
        QVERIFY(data.step.size() >= static_cast<size_t>(points) / 2);
        QCOMPARE(*std::ranges::max_element(data.max), 1234.5678);
        QCOMPARE(data.step.back(), std::min<int64_t>(to, 50000));
        // Against the points themselves: every bucket holds exactly min, max and mean of its steps.
        const auto raw = *db.series(uid, "a", from, to);
        size_t i = 0;
        for (size_t b = 0; b < data.step.size(); ++b) {
            double lo = INFINITY, hi = -INFINITY, sum = 0;
            int n = 0;
            for (; i < raw.step.size() && raw.step[i] <= data.step[b]; ++i) {
                if (std::isnan(raw.mean[i])) continue;
                lo = std::min(lo, raw.mean[i]);
                hi = std::max(hi, raw.mean[i]);
                sum += raw.mean[i];
                ++n;
            }
            QCOMPARE(data.min[b], lo);
            QCOMPARE(data.max[b], hi);
            QVERIFY(std::abs(data.mean[b] - sum / n) < 0.05); // one point that is not a number weighs a little
        }
        QCOMPARE(i, raw.step.size());
    }

    void nonFiniteValuesComeBack() {
        const TempDir dir;
        OpenRun run(dir.path());
        const double inf = INFINITY;
        for (int64_t s = 1; s <= 600; ++s)
            append(run.log, wire::Metrics{s, {{"a", s % 3 == 0 ? std::nan("") : s % 3 == 1 ? -inf : 0.5}}, 0, {}});
        QVERIFY(run.log.sync().ok());
        Store db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        const auto data = *db.series(run.uid, "a");
        QCOMPARE(data.mean[0], -inf);   // in a chunk
        QCOMPARE(data.mean[597], -inf); // in a row
        QVERIFY(std::isnan(data.mean[2]));
        QVERIFY(std::isnan(data.mean[599]));
        QCOMPARE(db.metrics(run.uid)->front().min, 0.5);
    }

    void aLogThatLostItsTailIsReadAgain() {
        const TempDir dir;
        records::RunIdentity identity = sampleIdentity();
        const auto folder = *wire::createRunFolder(dir.path(), identity);
        {
            auto log = *wire::EventLogWriter::open(folder.events());
            for (int64_t s = 1; s <= 100; ++s) append(log, wire::Metrics{s, {{"a", 1.0}}, 0, {}});
        }
        Store db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        QCOMPARE(db.series(identity.uid, "a")->step.size(), size_t{100});
        // A power failure: the last records never reached the disk, then the run went on differently.
        std::filesystem::resize_file(folder.events(), std::filesystem::file_size(folder.events()) / 2);
        {
            auto log = *wire::EventLogWriter::open(folder.events());
            append(log, wire::Attempt{2, "h", "cpu", "2.11", "b", 1, 31, 1, true});
            for (int64_t s = 31; s <= 200; ++s) append(log, wire::Metrics{s, {{"a", 2.0}}, 0, {}});
        }
        QVERIFY(db.sync().ok());
        const auto data = *db.series(identity.uid, "a");
        QCOMPARE(data.step.size(), size_t{200});
        QCOMPARE(data.mean[29], 1.0);
        QCOMPARE(data.mean[30], 2.0);
    }
};

QTEST_GUILESS_MAIN(StoreTest)
#include "tst_store.moc"
