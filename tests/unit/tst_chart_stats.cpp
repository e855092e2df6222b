// SPDX-License-Identifier: GPL-3.0-or-later
// What: the arithmetic below the charts: pyramids, averages, frontier, seed bands.
#include "stats/ema.h"
#include "stats/pareto.h"
#include "stats/pyramid.h"
#include "stats/seed_band.h"

#include <QtTest>
#include <cmath>
#include <random>

using namespace qw::stats;

namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN();
const double kInf = std::numeric_limits<double>::infinity();

Extent slow(std::span<const double> values, size_t from, size_t to) {
    Extent extent;
    for (size_t i = from; i < to; ++i) extent.add(values[i]);
    return extent;
}

std::vector<double> noise(size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    std::vector<double> values;
    for (size_t i = 0; i < count; ++i) values.push_back(i % 97 == 13 ? kNaN : i % 89 == 5 ? kInf : normal(random));
    return values;
}

} // namespace

class ChartStatsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void pyramidEqualsALoop() {
        const std::vector<double> values = noise(5000, 1);
        Pyramid pyramid;
        std::mt19937 random(2);
        for (size_t size = 0; size <= values.size(); size += size < 300 ? 1 : 313) {
            pyramid.grow(std::span(values).first(size));
            QCOMPARE(pyramid.size(), size);
            for (int k = 0; k < 8; ++k) {
                size_t from = random() % (size + 1), to = random() % (size + 1);
                if (from > to) std::swap(from, to);
                QVERIFY(pyramid.range(values, from, to) == slow(values, from, to));
            }
            QVERIFY(pyramid.range(values, 0, size) == slow(values, 0, size));
        }
    }
    void pyramidForgetsWhatIsCut() {
        std::vector<double> values = noise(3000, 3);
        Pyramid pyramid;
        pyramid.grow(values);
        for (const size_t keep : {2500U, 1025U, 256U, 17U, 0U}) {
            pyramid.truncate(keep);
            values.resize(keep);
            for (int i = 0; i < 400; ++i) values.push_back(1000 + i);
            pyramid.grow(values);
            QVERIFY(pyramid.range(values, 0, values.size()) == slow(values, 0, values.size()));
            QCOMPARE(pyramid.range(values, keep, values.size()).min, 1000.0);
        }
    }
    void pyramidKeepsOneSpikeOfAMillion() {
        std::vector<double> values(1000000, 1.0);
        values[765432] = 9;
        Pyramid pyramid;
        pyramid.grow(values);
        QCOMPARE(pyramid.range(values, 0, values.size()).max, 9.0);
        QCOMPARE(pyramid.range(values, 765432, 765433).max, 9.0);
        QCOMPARE(pyramid.range(values, 0, 765432).max, 1.0);
        QCOMPARE(pyramid.range(values, 765433, values.size()).max, 1.0);
    }
    void pyramidOfNothing() {
        Pyramid pyramid;
        const std::vector<double> none(40, kNaN);
        QVERIFY(pyramid.range({}, 0, 0).empty());
        pyramid.grow(none);
        QVERIFY(pyramid.range(none, 0, none.size()).empty());
        const std::vector<double> mixed{-3, 0, kInf, 4, 2, kNaN};
        pyramid.clear();
        pyramid.grow(mixed);
        const Extent extent = pyramid.range(mixed, 0, mixed.size());
        QCOMPARE(extent.min, -3.0);
        QCOMPARE(extent.max, 4.0);
        QCOMPARE(extent.leastPositive, 2.0);
    }
    void emaEqualsTheClosedForm_data() {
        QTest::addColumn<double>("weight");
        for (const double weight : {0.0, 0.1, 0.6, 0.9, 0.99, 0.999}) QTest::addRow("%g", weight) << weight;
    }
    void emaEqualsTheClosedForm() { // y_n = sum w^(n-i) x_i / sum w^(n-i) over the finite x_i
        QFETCH(double, weight);
        const std::vector<double> values = noise(700, 4);
        const std::vector<double> have = ema(values, weight);
        QCOMPARE(have.size(), values.size());
        for (size_t n = 0; n < values.size(); ++n) {
            if (!std::isfinite(values[n])) {
                QVERIFY(std::isnan(have[n]));
                continue;
            }
            long double sum = 0, norm = 0, power = 1;
            for (size_t i = n + 1; i-- > 0;) {
                if (!std::isfinite(values[i])) continue;
                sum += power * static_cast<long double>(values[i]);
                norm += power;
                power *= static_cast<long double>(weight);
            }
            QVERIFY(std::abs(have[n] - static_cast<double>(sum / norm)) < 1e-12);
        }
    }
    void emaKeepsConstants() {
        for (const double constant : {0.1, 1e-5, 2.31, -7e300})
            for (const double weight : {0.0, 0.6, 0.999})
                for (const double value : ema(std::vector<double>(5000, constant), weight)) QCOMPARE(value, constant);
    }
    void emaIgnoresWhatIsNoNumber() {
        const std::vector<double> with{1, kNaN, 2, kInf, -kInf, 3}, without{1, 2, 3};
        const std::vector<double> a = ema(with, 0.6), b = ema(without, 0.6);
        QCOMPARE(a[0], b[0]);
        QCOMPARE(a[2], b[1]);
        QCOMPARE(a[5], b[2]);
    }
    void frontier_data() {
        QTest::addColumn<int>("x");
        QTest::addColumn<int>("y");
        QTest::addColumn<QList<int>>("want");
        const int lower = static_cast<int>(Better::Lower), higher = static_cast<int>(Better::Higher);
        // by hand; points below
        QTest::newRow("small and good") << lower << higher << QList<int>{4, 0, 1, 7};
        QTest::newRow("small and low") << lower << lower << QList<int>{4, 3};
        QTest::newRow("fast and good") << higher << higher << QList<int>{1, 7, 6};
        QTest::newRow("fast and low") << higher << lower << QList<int>{3, 6};
    }
    void frontier() {
        QFETCH(int, x);
        QFETCH(int, y);
        QFETCH(QList<int>, want);
        const std::vector<Candidate> points{{2, 5}, {4, 8}, {4, 7}, {3, 1}, {1, 3}, {kNaN, 9}, {5, 2}, {4, 8}, {2, kInf}};
        QList<int> have;
        for (const size_t i : paretoFront(points, static_cast<Better>(x), static_cast<Better>(y))) have << static_cast<int>(i);
        QCOMPARE(have, want);
    }
    void frontierOfNothing() {
        QVERIFY(paretoFront({}, Better::Lower, Better::Higher).empty());
        const std::vector<Candidate> none{{kNaN, 1}};
        QVERIFY(paretoFront(none, Better::Lower, Better::Higher).empty());
    }
    void seedsMakeABand() {
        const std::vector<double> x1{1, 2, 3}, y1{1, 2, kNaN}, x2{1, 3, 4}, y2{3, 8, 5}, x3{1, 2}, y3{5, 4};
        const std::vector<SeedRun> runs{{x1, y1}, {x2, y2}, {x3, y3}};
        const SeedBand range = seedBand(runs, Spread::MinMax);
        QCOMPARE(range.x, (std::vector<double>{1, 2, 3, 4}));
        QCOMPARE(range.mean, (std::vector<double>{3, 3, 8, 5}));
        QCOMPARE(range.low, (std::vector<double>{1, 2, 8, 5}));
        QCOMPARE(range.high, (std::vector<double>{5, 4, 8, 5}));
        const SeedBand error = seedBand(runs, Spread::StandardError);
        QVERIFY(std::abs(error.high[0] - (3 + 2 / std::sqrt(3.0))) < 1e-14); // s = 2 of 1, 3, 5
        QVERIFY(std::abs(error.low[1] - (3 - 1)) < 1e-14);                   // s = sqrt 2 of 2, 4; s / sqrt 2 = 1
        QCOMPARE(error.low[3], 5.0);
    }
};

QTEST_GUILESS_MAIN(ChartStatsTest)
#include "tst_chart_stats.moc"
