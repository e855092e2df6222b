// SPDX-License-Identifier: GPL-3.0-or-later
#include "stats/compare.h"
#include "stats/recovered.h"
#include "test_data.h"

#include <cmath>

using namespace qw;
using namespace qw::stats;

namespace {

records::EvalItem choice(int64_t item, int correct, int correctNorm) {
    records::EvalItem i;
    i.item = item;
    i.ll = {-1, -2};
    i.correct = correct;
    i.correctNorm = correctNorm;
    return i;
}
records::EvalItem document(int64_t item, double ll, int64_t words, int64_t bytes, int64_t tokens) {
    records::EvalItem i;
    i.item = item;
    i.ll = {ll};
    i.words = words;
    i.bytes = bytes;
    i.tokens = tokens;
    return i;
}
bool close(double have, double want, double relative) { return std::abs(have - want) <= relative * std::max(1e-300, std::abs(want)); }

// The two sides of every bootstrap row: five documents as (nll, weight).
const std::vector<Share> kA{{10, 4}, {12, 5}, {7, 4}, {30, 9}, {5, 1}};
const std::vector<Share> kB{{11, 4}, {12.5, 5}, {7.5, 4}, {29, 9}, {5.5, 1}};

} // namespace

class StatsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void wilsonInterval_data() {
        QTest::addColumn<int>("hits");
        QTest::addColumn<int>("n");
        QTest::addColumn<double>("lower");
        QTest::addColumn<double>("upper");
        QTest::newRow("Newcombe 1998 table I, method 3") << 81 << 263 << 0.2553 << 0.3662;
        QTest::newRow("Newcombe 1998 table I, 15/148") << 15 << 148 << 0.0624 << 0.1605;
        QTest::newRow("Newcombe 1998 table I, 0/20") << 0 << 20 << 0.0 << 0.1611;
        QTest::newRow("Newcombe 1998 table I, 1/29") << 1 << 29 << 0.0061 << 0.1718;
        QTest::newRow("no items: knows nothing") << 0 << 0 << 0.0 << 1.0;
    }
    void wilsonInterval() {
        QFETCH(int, hits);
        QFETCH(int, n);
        QFETCH(double, lower);
        QFETCH(double, upper);
        const Interval i = wilson(hits, n);
        QVERIFY(std::abs(i.lower - lower) < 5e-5);
        QVERIFY(std::abs(i.upper - upper) < 5e-5);
    }
    void standardErrors() {
        QVERIFY(std::abs(*proportionError(0.24, 200) - 0.030275) < 5e-7); // golden.json of stories260K, val_200
        QVERIFY(!proportionError(0.5, 1));
        const std::vector<double> bits{1, 0, 0, 1, 1, 0, 0, 0};
        QVERIFY(close(*meanError(bits), *proportionError(3.0 / 8, 8), 1e-14)); // the same for 0/1 values
        const std::vector<double> one{3};
        QVERIFY(!meanError(one));
    }
    void mcnemar_data() {
        QTest::addColumn<int>("b");
        QTest::addColumn<int>("c");
        QTest::addColumn<double>("p");
        QTest::newRow("by hand: 2 (1 + 12 + 66) / 4096") << 10 << 2 << 158.0 / 4096;
        QTest::newRow("by hand: 2 / 32") << 0 << 5 << 2.0 / 32;
        QTest::newRow("by hand: 2 (1 + 7) / 128") << 6 << 1 << 16.0 / 128;
        QTest::newRow("nothing flipped") << 0 << 0 << 1.0;
        QTest::newRow("as many each way") << 7 << 7 << 1.0;
        QTest::newRow("exact fractions: 59 and 121") << 59 << 121 << 4.434449263755176e-06;
        QTest::newRow("exact fractions: 48 and 601") << 48 << 601 << 1.2259251189366149e-122;
        QTest::newRow("exact fractions: 620 and 500") << 620 << 500 << 0.00037241375554407185;
    }
    void mcnemar() {
        QFETCH(int, b);
        QFETCH(int, c);
        QFETCH(double, p);
        QVERIFY2(close(mcnemarExact(b, c), p, 1e-10), qPrintable(QString::number(mcnemarExact(b, c), 'g', 17)));
        QCOMPARE(mcnemarExact(b, c), mcnemarExact(c, b));
    }
    void itemsNeeded() {
        // (1.959964 + 0.841621)^2 = 7.848880; times (0.5 / 0.05)^2 = 784.888
        QCOMPARE(*itemsForDifference(0.05, 0.5), 785);
        QCOMPARE(*itemsForDifference(-0.05, 0.5), 785);
        QVERIFY(!itemsForDifference(0, 0.5));
        QCOMPARE(*itemsForMargin(0.98, 10), 400); // (1.959964 * 10 / 0.98)^2 = 399.985
        QVERIFY(!itemsForMargin(0, 1));
        QVERIFY(!itemsForMargin(-1, 1));
    }
    void bootstrapMatchesAnIndependentProgram() { // the same definition written in Python: 200 resamples, seed 42
        const Difference d = bootstrapRatio(Ratio::Perplexity, kA, kB, Scale::Absolute, {200, 42});
        QVERIFY(close(d.mean, 1.276505189962, 1e-11));
        QVERIFY(close(d.lower, -0.838223554741, 1e-11));
        QVERIFY(close(d.upper, 3.998181772895, 1e-11));
        QVERIFY(close(d.p, 0.378109452736, 1e-11));
        QVERIFY(close(d.value, std::exp(65.5 / 23) - std::exp(64.0 / 23), 1e-13));
        QCOMPARE(d.n, 5);
        const Interval i = bootstrapInterval(Ratio::Perplexity, kA, {200, 42});
        QVERIFY(close(i.lower, 7.749428104069, 1e-11));
        QVERIFY(close(i.upper, 26.576603712045, 1e-11));
    }
    void bootstrapBehaves() {
        const Difference forth = bootstrapRatio(Ratio::Bits, kA, kB), back = bootstrapRatio(Ratio::Bits, kB, kA);
        QCOMPARE(forth.value, -back.value);
        QCOMPARE(forth.lower, -back.upper);
        QCOMPARE(forth.p, back.p);
        const Difference same = bootstrapRatio(Ratio::Perplexity, kA, kA);
        QCOMPARE(same.value, 0.0);
        QCOMPARE(same.upper, 0.0);
        QCOMPARE(same.p, 1.0);
        const Difference relative = bootstrapRatio(Ratio::Mean, kA, kB, Scale::Relative);
        QVERIFY(close(relative.value, 65.5 / 64 - 1, 1e-12));
        QCOMPARE(bootstrapRatio(Ratio::Mean, kA, std::span(kB).first(4)).n, 0);
        QVERIFY(std::isnan(bootstrapRatio(Ratio::Mean, {}, {}).value));
    }
    void bootstrapAgreesWithTheNormalApproximation() { // 1000 pairs: 300 hits lost, 200 won
        std::vector<double> a(1000, 0), b(1000, 0);
        for (size_t i = 0; i < 300; ++i) a[i] = 1;
        for (size_t i = 300; i < 500; ++i) b[i] = 1;
        const Difference d = bootstrapMeans(a, b);
        const double error = std::sqrt((0.5 - 0.01) / 999.0); // var of {-1: .3, +1: .2} = E[d^2] - mean^2
        QVERIFY(close(d.value, -0.1, 1e-12));
        QVERIFY(std::abs(d.lower - (-0.1 - kZ95 * error)) < 0.05 * kZ95 * error);
        QVERIFY(std::abs(d.upper - (-0.1 + kZ95 * error)) < 0.05 * kZ95 * error);
        QVERIFY(d.p < 1e-3);
    }
    void comparesAccuracies() {
        Items a, b; // 2 both, 3 only a, 1 only b, 4 neither
        const int hitA[] = {1, 1, 1, 1, 1, 0, 0, 0, 0, 0}, hitB[] = {1, 1, 0, 0, 0, 1, 0, 0, 0, 0};
        for (int i = 0; i < 10; ++i) {
            a.push_back(choice(i, hitA[i], 0));
            b.push_back(choice(i, hitB[i], 0));
        }
        const auto c = compareItems("acc", a, b);
        QVERIFY(c);
        QCOMPARE(c->flips.both, 2);
        QCOMPARE(c->flips.onlyA, 3);
        QCOMPARE(c->flips.onlyB, 1);
        QCOMPARE(c->flips.neither, 4);
        QCOMPARE(c->p, 10.0 / 16); // 2 (1 + 4) / 16
        QVERIFY(close(c->difference.value, -0.2, 1e-12));
        QVERIFY(close(c->loss, 20, 1e-12));
        QVERIFY(c->lossLower <= c->loss && c->loss <= c->lossUpper);
        QVERIFY(close(*c->pairedError, std::sqrt((0.4 - 0.04) / 9), 1e-12)); // var = (E[d^2] - mean^2) n / (n - 1), / n
        QCOMPARE(*metricValue("acc", a), 0.5);
        QCOMPARE(compareItems("acc_norm", a, b)->p, 1.0);
        b.back().item = 99;
        QVERIFY(!compareItems("acc", a, b)); // not the same items
        b.pop_back();
        QVERIFY(!compareItems("acc", a, b));
        QVERIFY(!compareItems("word_perplexity", a, a)); // choices carry no words
        QVERIFY(!compareItems("unknown", a, a));
    }
    void comparesPerplexities() {
        const Items a{document(0, -100, 20, 90, 30), document(1, -50, 10, 60, 15)},
            b{document(0, -110, 20, 90, 30), document(1, -55, 10, 60, 15)};
        QVERIFY(close(*metricValue("word_perplexity", a), std::exp(5.0), 1e-13));
        QVERIFY(close(*metricValue("byte_perplexity", a), std::exp(1.0), 1e-13));
        QVERIFY(close(*metricValue("bits_per_byte", a), 1 / std::log(2.0), 1e-13));
        QVERIFY(close(*metricValue("loss", a), 150.0 / 45, 1e-13));
        QVERIFY(close(*metricValue("perplexity", a), std::exp(150.0 / 45), 1e-13));
        const auto c = compareItems("word_perplexity", a, b);
        QVERIFY(c);
        QVERIFY(close(c->difference.value, std::exp(5.5) - std::exp(5.0), 1e-12));
        QVERIFY(close(c->loss, 100 * (std::exp(0.5) - 1), 1e-12)); // every resample has the same ratio: -ll per word is 5 and 5.5 in both
        QVERIFY(close(c->lossUpper, c->loss, 1e-9));
        QVERIFY(metricInterval("word_perplexity", a) && close(metricInterval("word_perplexity", a)->lower, std::exp(5.0), 1e-9));
    }
    void recoveredShare_data() { // evaluation.md 9, from torchao's published rows
        QTest::addColumn<double>("reference");
        QTest::addColumn<double>("ptq");
        QTest::addColumn<double>("qat");
        QTest::addColumn<bool>("higher");
        QTest::addColumn<double>("want");
        QTest::newRow("8da4w acc") << 57.86 << 51.74 << 57.25 << true << 90.03;
        QTest::newRow("8da4w acc_norm") << 76.60 << 70.66 << 76.51 << true << 98.48;
        QTest::newRow("8da4w word_ppl") << 8.905 << 11.878 << 9.859 << false << 67.91;
        QTest::newRow("8da4w byte_ppl") << 1.505 << 1.588 << 1.534 << false << 65.06;
        QTest::newRow("8da4w bits/byte") << 0.590 << 0.668 << 0.617 << false << 65.38;
        QTest::newRow("4w acc") << 57.16 << 55.06 << 55.86 << true << 38.10;
        QTest::newRow("4w acc_norm") << 77.02 << 74.24 << 75.06 << true << 29.50;
        QTest::newRow("4w word_ppl") << 8.858 << 10.311 << 10.134 << false << 12.18;
        QTest::newRow("4w byte_ppl") << 1.504 << 1.547 << 1.542 << false << 11.63;
        QTest::newRow("4w bits/byte") << 0.589 << 0.630 << 0.625 << false << 12.20;
    }
    void recoveredShare() {
        QFETCH(double, reference);
        QFETCH(double, ptq);
        QFETCH(double, qat);
        QFETCH(bool, higher);
        QFETCH(double, want);
        const Recovered r = recovered(reference, ptq, qat, higher);
        QVERIFY(r.percent);
        QVERIFY2(std::abs(*r.percent - want) <= 0.00501, qPrintable(QString::number(*r.percent, 'f', 4)));
    }
    void recoveredSaysWhyNot() {
        QCOMPARE(recovered(10, 10, 9, true).reason, std::string("PTQ lost nothing"));
        QVERIFY(!recovered(10, 11, 12, true).percent);
        QVERIFY(!recovered(10, 9, 8, false).percent);
        QVERIFY(!recovered(NAN, 9, 8, false).percent);
        const Recovered flagged = recovered(0.50, 0.49, 0.495, true, 0.01);
        QVERIFY(flagged.percent && !flagged.reason.empty());
        QVERIFY(recovered(0.50, 0.40, 0.51, true, 0.01).reason.empty());
        QVERIFY(*recovered(0.50, 0.40, 0.51, true).percent > 100);
        QVERIFY(*recovered(0.50, 0.40, 0.39, true).percent < 0);
    }
};

QTEST_GUILESS_MAIN(StatsTest)
#include "tst_stats.moc"
