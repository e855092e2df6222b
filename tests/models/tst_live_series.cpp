// SPDX-License-Identifier: GPL-3.0-or-later
// What: curves of a run from the store plus live events equal those of all events in one go, wherever the join is; rollbacks, NaN,
// spans of fake quantization, times, tokens, the spread of the rest.
#include "live_fixture.h"
#include "models/live_run.h"

#include <random>

using namespace qw;

namespace {

std::vector<wire::Event> eventsOf(const wire::RunFolder& folder) {
    wire::EventLogReader reader(folder.events());
    std::vector<wire::Event> events;
    const auto records = reader.read();
    for (const auto& record : *records) {
        auto event = *wire::eventFromJson(record.json);
        event.seq = record.seq;
        events.push_back(std::move(event));
    }
    return events;
}

QString describe(const ui::LiveSeries& series) {
    QString text;
    for (const auto& [name, curve] : series.curves()) {
        if (curve.steps.empty()) continue;
        text += QString::fromStdString(name);
        for (size_t i = 0; i < curve.steps.size(); ++i)
            text += QStringLiteral(" %1:%2").arg(curve.steps[i]).arg(curve.values[i], 0, 'g', 17);
        text += QLatin1Char('\n');
    }
    return text;
}

// A life with everything that bends curves: two continued attempts, a rollback inside one, NaN, layers in turn, results.
void writeLife(test::GrowingRun& run, unsigned seed) {
    std::mt19937 random(seed);
    for (int part = 0; part < 6; ++part) {
        run.train(static_cast<int64_t>(10 + random() % 40));
        if (part == 1) run.append(wire::Metrics{++run.step, {{"train.loss", NAN}, {"train.lr", 1e-3}}, 0, {}});
        if (part == 2) {
            run.step = std::max<int64_t>(0, run.step - static_cast<int64_t>(random() % 25));
            run.append(wire::Attempt{2, "host", "cpu", "2.11.0", "build", 78, run.step + 1, 2, true});
        }
        if (part == 3) run.append(wire::CheckpointSaved{run.step, 100, "checkpoints/x", true});
        if (part == 4) run.append(wire::Metrics{run.step, {{"eval.loss", 1.5}}, 0, {}});
    }
    records::EvalResult result;
    result.uid = "R" + run.uid.toStdString();
    result.task = result.kind = "people";
    result.variant = "float";
    result.metrics = {{"acc", 0.5, std::nullopt}};
    run.append(wire::EvalDone{result});
    static_cast<void>(run.log->flush());
}

} // namespace

class LiveSeriesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void historyAndLiveMeetWithoutSeam_data() {
        QTest::addColumn<unsigned>("seed");
        QTest::addColumn<int>("percent"); // of the log that the store has taken in
        for (unsigned seed = 1; seed <= 4; ++seed)
            for (const int percent : {0, 13, 50, 77, 100}) QTest::addRow("seed %u, %d %%", seed, percent) << seed << percent;
    }
    void historyAndLiveMeetWithoutSeam() {
        QFETCH(unsigned, seed);
        QFETCH(int, percent);
        test::TempDir dir;
        test::GrowingRun whole(dir.path() / "a", "whole", 400);
        writeLife(whole, seed);
        const auto all = eventsOf(whole.folder);
        ui::LiveSeries straight;
        for (const auto& event : all) straight.apply(event);
        QVERIFY(straight.curves().size() > 8);

        // The same log, cut where the store stopped.
        test::GrowingRun part(dir.path() / "b", "part", 400);
        const auto taken = std::max<size_t>(4, all.size() * static_cast<size_t>(percent) / 100);
        for (size_t i = 4; i < taken; ++i) part.append(all[i].payload);
        QVERIFY(part.log->flush().ok());
        auto store = store::Store::open(dir.path() / "b");
        QVERIFY(store);
        QVERIFY(store->ingestRun(part.folder));
        auto read = ui::readLive(*store, part.uid.toStdString());
        QVERIFY2(read.ok(), read ? "" : read.error().message.c_str());
        QCOMPARE(read->history.seq, static_cast<int64_t>(taken));

        ui::LiveSeries joined;
        joined.setHistory(read->history);
        for (const auto& event : all) joined.apply(event); // those it knows change nothing
        QCOMPARE(describe(joined), describe(straight));

        // The store went on between our reading its seq and its curves: the events between are replayed onto curves that have them.
        ui::LiveSeries replayed;
        ui::LiveHistory behind = read->history;
        behind.seq = std::max<int64_t>(4, behind.seq - 15);
        const bool plain = std::none_of(all.begin() + behind.seq, all.begin() + static_cast<std::ptrdiff_t>(taken),
                                        [](const auto& event) { return std::holds_alternative<wire::Attempt>(event.payload); });
        replayed.setHistory(behind);
        for (const auto& event : all) replayed.apply(event);
        if (plain) QCOMPARE(describe(replayed), describe(straight));
    }

    void anAttemptCutsAllCurves() {
        ui::LiveSeries series;
        int64_t seq = 0;
        const auto play = [&](wire::Payload payload) {
            wire::Event event;
            event.seq = ++seq;
            event.payload = std::move(payload);
            return series.apply(event);
        };
        for (int64_t step = 1; step <= 20; ++step) play(test::liveMetrics(step));
        play(wire::LayerStats{10, "a", {{"w_sqnr", 30}}, 0, {}});
        play(wire::LayerStats{15, "b", {{"w_sqnr", 10}}, 0, {}});
        QCOMPARE(series.last("layer.w_sqnr:worst"), 10.0);
        const auto edits = play(wire::Attempt{2, {}, {}, {}, {}, 0, 13, 1, true});
        QCOMPARE(edits.size(), size_t{1});
        QCOMPARE(int(edits[0].kind), int(ui::LiveEdit::Kind::Cut));
        QCOMPARE(series.curve("train.loss")->steps.size(), size_t{12});
        QCOMPARE(series.last("layer.w_sqnr:worst"), 30.0);
        play(test::liveMetrics(13));
        QCOMPARE(series.curve("train.loss")->steps.back(), int64_t{13});
        QVERIFY(play(wire::Heartbeat{}).empty());
        seq = 5;
        QVERIFY2(play(test::liveMetrics(99)).empty(), "an event that is known");
    }

    void worstAndMedianOfLayers() {
        ui::LiveSeries series;
        int64_t seq = 0;
        for (const auto& [layer, sqnr, clip] : {std::tuple{"a", 30.0, 0.1}, {"b", 10.0, 0.2}, {"c", 20.0, 0.05}, {"d", double(NAN), 0.0}}) {
            wire::Event event;
            event.seq = ++seq;
            event.payload = wire::LayerStats{seq, layer, {{"w_sqnr", sqnr}, {"clip_frac", clip}}, 0, {}};
            series.apply(event);
        }
        QCOMPARE(series.last("layer.w_sqnr:worst"), 10.0);
        QCOMPARE(series.last("layer.w_sqnr:median"), 20.0);
        QCOMPARE(series.last("layer.clip_frac:worst"), 0.2);
        QCOMPARE(series.layers().size(), size_t{4});
    }

    void spansTimesAndTokens() {
        ui::LiveSeries series;
        for (int64_t step = 1; step <= 20; ++step) {
            wire::Event event;
            event.seq = step;
            event.payload = test::liveMetrics(step);
            series.apply(event);
        }
        QCOMPARE(series.fakeQuantSpans(), (std::vector<std::pair<int64_t, int64_t>>{{11, -1}}));
        wire::Event off;
        off.seq = 21;
        off.payload = wire::Metrics{21, {{"train.fake_quant", 0}}, 0, {}};
        series.apply(off);
        QCOMPARE(series.fakeQuantSpans(), (std::vector<std::pair<int64_t, int64_t>>{{11, 21}}));
        // Steps of 101, 102, … ms.
        QCOMPARE(series.timesOf({1, 3}), (std::vector<int64_t>{101, 306}));
        double seconds = 0;
        for (int step = 1; step <= 20; ++step) seconds += (100 + step) / 1000.0;
        QVERIFY(std::abs(series.tokens() - 2000 * seconds) < 1e-6);
    }

    void restOfTheTimeHasASpread() {
        QCOMPARE(ui::etaSpread(std::vector<double>(10, 100.0), 50).low, -1.0);
        const auto even = ui::etaSpread(std::vector<double>(100, 100.0), 50);
        QCOMPARE(even.low, 5.0);
        QCOMPARE(even.high, 5.0);
        std::vector<double> rising;
        for (int i = 0; i < 100; ++i) rising.push_back(i < 50 ? 100 : 200);
        rising[3] = NAN;
        const auto wide = ui::etaSpread(rising, 10);
        QVERIFY(wide.low < wide.high);
        QCOMPARE(wide.high, 2.0);
    }
};

QTEST_GUILESS_MAIN(LiveSeriesTest)
#include "tst_live_series.moc"
