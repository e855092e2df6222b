// SPDX-License-Identifier: GPL-3.0-or-later
// What: the comparison table against evaluation.md 9's published rows, paired tests and verdicts worked out by hand, the four renderings.
#include "compare_rows.h"
#include "study/compare_text.h"
#include "test_data.h"

#include <cmath>
#include <nlohmann/json.hpp>

using namespace qw;
using records::RowRole;
using study::FactRow;
using study::Table;

namespace {

using namespace qw::test;

Table compare(const std::vector<FactRow>& rows, const std::string& metric = {}, double maxLoss = 1, const std::string& baseline = {}) {
    return study::compare(rows, {{metric, maxLoss}, baseline});
}
const study::Line& line(const Table& t, const std::string& label) {
    for (const auto& l : t.lines)
        if (l.label == label) return l;
    qFatal("no line %s", label.c_str());
}
std::string winner(const Table& t) { return t.verdict.line < 0 ? "none" : t.lines[size_t(t.verdict.line)].label; }

} // namespace

class CompareTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void publishedTable_data() {
        QTest::addColumn<int>("scheme");
        QTest::addColumn<int>("column");
        QTest::addColumn<double>("ptq");
        QTest::addColumn<double>("qat");
        QTest::addColumn<double>("recovered");
        const auto add = [](const char* name, int scheme, int column, double ptq, double qat, double recovered) {
            QTest::newRow(name) << scheme << column << ptq << qat << recovered;
        };
        add("evaluation.md 9: 8da4w acc", 0, 0, -6.12, -0.61, 90.03);
        add("evaluation.md 9: 8da4w acc_norm", 0, 1, -5.94, -0.09, 98.48);
        add("evaluation.md 9: 8da4w word_ppl", 0, 2, 2.973, 0.954, 67.91);
        add("evaluation.md 9: 8da4w byte_ppl", 0, 3, 0.083, 0.029, 65.06);
        add("evaluation.md 9: 8da4w bits/byte", 0, 4, 0.078, 0.027, 65.38);
        add("evaluation.md 9: 4w acc", 1, 0, -2.10, -1.30, 38.10);
        add("evaluation.md 9: 4w acc_norm", 1, 1, -2.78, -1.96, 29.50);
        add("evaluation.md 9: 4w word_ppl", 1, 2, 1.453, 1.276, 12.18);
        add("evaluation.md 9: 4w byte_ppl", 1, 3, 0.043, 0.038, 11.63);
        add("evaluation.md 9: 4w bits/byte", 1, 4, 0.041, 0.036, 12.20);
    }
    void publishedTable() {
        QFETCH(int, scheme);
        QFETCH(int, column);
        QFETCH(double, ptq);
        QFETCH(double, qat);
        QFETCH(double, recovered);
        const Table t = compare(publishedRows());
        const std::string name = scheme == 0 ? "8da4w" : "4w";
        const double unit = column < 2 ? 100 : 1;
        const auto& p = line(t, name + " PTQ").cells[size_t(column)];
        const auto& q = line(t, name + " QAT").cells[size_t(column)];
        QVERIFY(std::abs(*p.degradation * unit - ptq) < 5e-7 && std::abs(*q.degradation * unit - qat) < 5e-7);
        QVERIFY2(std::abs(*q.recovered - recovered) <= 0.0051, qPrintable(QString::number(*q.recovered)));
        QVERIFY(!q.pTwin); // no items, no p
    }
    void publishedCells() {
        const auto text = study::textTable(compare(publishedRows()));
        QCOMPARE(QString::fromStdString(text.header[1]), QStringLiteral("hellaswag acc↑"));
        QCOMPARE(QString::fromStdString(text.header[3]), QStringLiteral("wikitext word ppl↓"));
        QCOMPARE(cell(text, "8da4w PTQ degradation", 1), QStringLiteral("−6.12 pp"));
        QCOMPARE(cell(text, "8da4w QAT degradation", 3), QStringLiteral("+0.954"));
        QCOMPARE(cell(text, "8da4w QAT recovered", 2), QStringLiteral("98.5 %"));
        QCOMPARE(cell(text, "4w QAT recovered", 5), QStringLiteral("12.2 %"));
        QCOMPARE(cell(text, "8da4w PTQ", 1), QStringLiteral("51.74 ±0.49"));
        QCOMPARE(cell(text, "8da4w PTQ", 3), QStringLiteral("11.878"));
    }
    void ownBlocksAreTheReference() {
        const Table t = compare(publishedRows());
        QCOMPARE(t.lines.size(), size_t(6));
        QVERIFY(t.lines[size_t(line(t, "8da4w QAT").reference)].block == "A" && t.lines[size_t(line(t, "4w QAT").reference)].block == "B");
        QVERIFY(t.verdict.sentence.find("per-item") != std::string::npos && t.verdict.line < 0);
    }
    void swappingFlipsSigns() {
        const Table t = compare({published(RowRole::Float, "", "", 57.86, 76.60, 8.905, 1.505, 0.590),
                                 published(RowRole::Ptq, "s", "A", 51.74, 70.66, 11.878, 1.588, 0.668)},
                                {}, 1, "s PTQA42");
        QVERIFY(line(t, "s PTQ").reference < 0);
        QVERIFY(std::abs(*line(t, "float").cells[0].degradation - 0.0612) < 1e-9 && *line(t, "float").cells[2].degradation < 0);
    }

    void mcnemarAndWilson() {
        // QAT right where PTQ is wrong on 15 items, the other way round on 2: 2 (C(17,0) + C(17,1) + C(17,2)) / 2^17 = 308 / 131072.
        FactRow f = row(RowRole::FloatTrained), p = row(RowRole::Ptq, "s"), q = row(RowRole::Qat, "s");
        items(f, 100, [](int64_t i) { return i >= 90; });
        items(p, 100, [](int64_t i) { return i < 15 || i >= 90; });
        items(q, 100, [](int64_t i) { return i == 20 || i == 21 || i >= 90; });
        const Table t = compare({f, p, q});
        const auto& cell = line(t, "s QAT").cells[0];
        QVERIFY(std::abs(*cell.pTwin - 308.0 / 131072.0) < 1e-12);
        QVERIFY(cell.beatsTwin && cell.onlyQat == 15 && cell.onlyPtq == 2);
        QVERIFY(std::abs(*cell.degradation + 0.02) < 1e-12 && std::abs(*cell.recovered - 100.0 * 13 / 15) < 1e-9);
        // Against the reference: 15 lost, none won, 2 / 2^15.
        QVERIFY(std::abs(*line(t, "s PTQ").cells[0].pReference - 2.0 / 32768) < 1e-15);
        // Wilson 95 % of 90 in 100, from its formula: (0.9 + z²/200 ± z sqrt(0.09/100 + z²/40000)) / (1 + z²/100), z = 1.959964.
        const auto& whisker = *line(t, "float trained").cells[0].whisker;
        QVERIFY(std::abs(whisker.lower - 0.825634) < 1e-5 && std::abs(whisker.upper - 0.944771) < 1e-5);
        const auto text = study::textTable(t);
        QCOMPARE(CompareTest::cell(text, "s QAT degradation", 1), QStringLiteral("−2.00 pp ✱"));
    }
    void perplexityIsPairedOverDocuments() {
        std::vector<double> base, ptq, qat;
        for (int i = 0; i < 40; ++i) {
            base.push_back(2 + 0.05 * i); // documents differ far more than the models do
            ptq.push_back(base.back() + 0.10 + 0.001 * (i % 7));
            qat.push_back(base.back() + 0.02 + 0.001 * (i % 5));
        }
        FactRow f = row(RowRole::FloatTrained), p = row(RowRole::Ptq, "s"), q = row(RowRole::Qat, "s");
        documents(f, base);
        documents(p, ptq);
        documents(q, qat);
        const Table t = compare({f, p, q}, "wikitext.word_perplexity", 5);
        const auto& cell = line(t, "s QAT").cells[0];
        QVERIFY(cell.beatsTwin && *cell.pTwin < 0.001 && !cell.stderror && cell.whisker && cell.whisker->upper - cell.whisker->lower > 1);
        // exp(mean difference) - 1: 0.02 + 0.002 in nats for QAT.
        QVERIFY(winner(t) == "s QAT" && std::abs(*t.verdict.loss - 100 * (std::exp(0.022) - 1)) < 1e-9);
    }

    void notComparable_data() {
        QTest::addColumn<QString>("what");
        QTest::addColumn<QString>("why");
        const auto add = [](const char* what, const char* why) {
            QTest::newRow(what) << QString::fromLatin1(what) << QString::fromLatin1(why);
        };
        add("limit", "limit 50 against all");
        add("digest", "another task file");
        add("version", "task version 2.0 against 1.0");
        add("settings", "bos \"off\" against \"auto\"");
        add("items", "99 items against 100");
    }
    void notComparable() {
        QFETCH(QString, what);
        QFETCH(QString, why);
        FactRow f = row(RowRole::FloatTrained), p = row(RowRole::Ptq, "s"), q = row(RowRole::Qat, "s");
        for (FactRow* r : {&f, &p, &q}) items(*r, 100, [](int64_t i) { return i < 10; });
        auto& result = q.tasks[0].result;
        if (what == QLatin1String("limit")) result.limit = 50;
        if (what == QLatin1String("digest")) result.taskDigest = "other";
        if (what == QLatin1String("version")) result.taskVersion = "2.0";
        if (what == QLatin1String("settings")) result.settings = "{\"bos\":\"off\"}", result.settingsHash = "t";
        if (what == QLatin1String("items")) result.n = 99;
        const Table t = compare({f, p, q});
        const auto& cell = line(t, "s QAT").cells[0];
        QCOMPARE(QString::fromStdString(cell.notComparable), why);
        QVERIFY(cell.value && !cell.degradation && !cell.recovered && !cell.pTwin && !cell.beatsTwin);
        QVERIFY(std::any_of(t.notes.begin(), t.notes.end(),
                            [&](const std::string& n) { return n == "s QAT, hellaswag: not comparable: " + why.toStdString(); }));
        QCOMPARE(QString::fromStdString(winner(t)), QStringLiteral("s PTQ")); // only what can be compared competes
        QVERIFY(study::toMarkdown(t).find("~~90.00 ±3.02~~") != std::string::npos);
        QVERIFY(study::toPlain(t).find("90.00 ±3.02 †") != std::string::npos);
    }
    void recoveredIsNotAvailable() {
        const Table t = compare({published(RowRole::FloatTrained, "", "A", 50, 60, 9, 2, 1),
                                 published(RowRole::Ptq, "s", "A", 51, 60, 10, 2, 1), published(RowRole::Qat, "s", "A", 52, 61, 8, 2, 1)});
        const auto& cells = line(t, "s QAT").cells;
        QVERIFY(!cells[0].recovered && cells[0].recoveredNote == "PTQ is better than the reference");
        QVERIFY(!cells[1].recovered && cells[1].recoveredNote == "PTQ lost nothing");
        QVERIFY(std::abs(*cells[2].recovered - 200) < 1e-9); // above 100: better than float
        QVERIFY(study::toPlain(t).find("recovered is n/a: PTQ lost nothing") != std::string::npos);
    }
    void severalSeeds() {
        std::vector<FactRow> rows;
        const double acc[2][3] = {{0.90, 0.80, 0.86}, {0.92, 0.84, 0.90}};
        for (uint64_t s = 0; s < 2; ++s) {
            const RowRole roles[] = {RowRole::FloatTrained, RowRole::Ptq, RowRole::Qat};
            for (int i = 0; i < 3; ++i) {
                FactRow r = row(roles[i], i ? "s" : "", "B", s + 1);
                r.label += " seed " + std::to_string(s + 1);
                items(r, 100, [&](int64_t k) { return k >= std::lround(100 * acc[s][i]); });
                rows.push_back(r);
            }
        }
        const Table t = compare(rows);
        QCOMPARE(t.lines.size(), size_t(3));
        const auto& q = line(t, "s QAT (2 seeds)").cells[0];
        QVERIFY(std::abs(*q.value - 0.88) < 1e-12 && std::abs(*q.spread - 0.02 * std::sqrt(2.0)) < 1e-12 && !q.stderror);
        QVERIFY(std::abs(*q.degradation + 0.03) < 1e-12 && std::abs(*q.recovered - 100 * 0.06 / 0.09) < 1e-9);
        // 6 flips for each seed, all one way: 2 / 2^6.
        QVERIFY(std::abs(*q.pTwin - 2.0 / 64) < 1e-12);
    }
    void newestEvaluationCounts() {
        FactRow f = row(RowRole::FloatTrained), old = row(RowRole::Ptq, "s"), fresh = row(RowRole::Ptq, "s");
        items(f, 100, [](int64_t) { return false; });
        items(old, 100, [](int64_t i) { return i < 50; });
        items(fresh, 100, [](int64_t i) { return i < 1; });
        old.tasks[0].result.createdMs = 1;
        fresh.tasks[0].result.createdMs = 2;
        for (const auto& rows : {std::vector<FactRow>{f, old, fresh}, std::vector<FactRow>{f, fresh, old}}) {
            const Table t = compare(rows);
            QVERIFY(t.lines.size() == 2 && *line(t, "s PTQ").cells[0].value == 0.99);
        }
    }
    void failedMembersSaySo() {
        FactRow f = row(RowRole::FloatTrained), q = row(RowRole::Qat, "s");
        items(f, 100, [](int64_t) { return false; });
        q.problem = "failed: the loss is not finite";
        q.skipped = {"model.layers.0.mlp.down_proj"};
        const Table t = compare({f, q});
        QVERIFY(!line(t, "s QAT").cells[0].value);
        const std::string text = study::toPlain(t);
        QVERIFY(text.find("s QAT: failed: the loss is not finite") != std::string::npos &&
                text.find("model.layers.0.mlp.down_proj") != std::string::npos);
    }

    // n items, the reference misses none; each row misses its first `lost` ones. Loss = lost / n; the bootstrap bound is about
    // loss + 1.96 sqrt(loss (1 - loss) / n).
    void verdict_data() {
        QTest::addColumn<int>("n");
        QTest::addColumn<QList<int>>("lost"); // small PTQ, small QAT, big PTQ, big QAT; -1: no such row
        QTest::addColumn<QString>("want");
        QTest::addColumn<bool>("tooFew");
        const auto add = [](const char* name, int n, const QList<int>& lost, const char* want, bool tooFew = false) {
            QTest::newRow(name) << n << lost << QString::fromLatin1(want) << tooFew;
        };
        add("all pass, one flip is noise: PTQ of the small scheme", 1000, {5, 4, 2, 1}, "small PTQ");
        add("all pass, QAT better beyond noise (6 flips, p = 0.031)", 1000, {8, 2, 2, 1}, "small QAT");
        add("5 flips are noise (p = 0.0625)", 1000, {8, 3, 2, 1}, "small PTQ");
        add("small PTQ loses 3 points, small QAT half a point", 1000, {30, 5, 2, 1}, "small QAT");
        add("small scheme fails, the bigger one is shipped", 1000, {30, 20, 2, 1}, "big PTQ");
        add("loss at the limit, bound 1.6 within 2", 1000, {10, 10, -1, -1}, "small PTQ");
        add("loss just above the limit", 1000, {11, 15, -1, -1}, "none", true);
        add("none: 3 points are beyond doubt", 1000, {30, 40, 35, 50}, "none");
        add("1 of 100 is within the limit, but the bound is about 3", 100, {1, 1, -1, -1}, "none", true);
    }
    void verdict() {
        QFETCH(int, n);
        QFETCH(QList<int>, lost);
        QFETCH(QString, want);
        QFETCH(bool, tooFew);
        std::vector<FactRow> rows{row(RowRole::FloatTrained)};
        items(rows[0], n, [](int64_t) { return false; });
        for (int i = 0; i < 4; ++i) {
            if (lost[i] < 0) continue;
            FactRow r = row(i % 2 ? RowRole::Qat : RowRole::Ptq, i < 2 ? "small" : "big");
            r.bytes = i < 2 ? 1000 : 2000;
            items(r, n, [&](int64_t k) { return k < lost[i]; });
            rows.push_back(r);
        }
        const Table t = compare(rows, "hellaswag.acc", 1.0);
        QVERIFY2(winner(t) == want.toStdString(), t.verdict.sentence.c_str());
        QCOMPARE(t.verdict.itemsNeeded.has_value(), tooFew);
        if (want == QLatin1String("none")) {
            QVERIFY(t.verdict.sentence.starts_with("None of these") && t.verdict.nearest >= 0);
            QCOMPARE(QString::fromStdString(t.lines[size_t(t.verdict.nearest)].label), QStringLiteral("small PTQ"));
        } else {
            QVERIFY(t.verdict.sentence.starts_with("Ship " + want.toStdString() + ": "));
        }
    }
    void itemsNeededByHand() {
        std::vector<FactRow> rows{row(RowRole::FloatTrained), row(RowRole::Ptq, "s")};
        items(rows[0], 100, [](int64_t) { return false; });
        items(rows[1], 100, [](int64_t i) { return i < 1; });
        const Table t = compare(rows, "hellaswag.acc", 1.0);
        // Deviation per item: sqrt(0.01 · 0.99 · 100 / 99) = 0.1, i.e. 10 points; margin 2 - 1 = 1 point: (1.959964 · 10 / 1)² = 384.15.
        QCOMPARE(*t.verdict.itemsNeeded, int64_t(385));
        QVERIFY(t.verdict.sentence.find("about 385 are needed") != std::string::npos);
    }
    void withoutTrainedReference() {
        std::vector<FactRow> rows{row(RowRole::Float), row(RowRole::Ptq, "s"), row(RowRole::Qat, "s")};
        for (FactRow& r : rows) items(r, 1000, [](int64_t) { return false; });
        const Table t = compare(rows);
        QVERIFY(t.lines[size_t(line(t, "s QAT").reference)].role == RowRole::Float && winner(t) == "s PTQ");
        QVERIFY(study::toPlain(t).find("are against float.") != std::string::npos);
    }
    void sizeDecidesByBytes() {
        std::vector<FactRow> rows{row(RowRole::FloatTrained), row(RowRole::Ptq, "a"), row(RowRole::Ptq, "b")};
        for (FactRow& r : rows) items(r, 1000, [](int64_t) { return false; });
        rows[1].bytes = 1001;
        rows[2].bytesForecast = true;
        QCOMPARE(QString::fromStdString(winner(compare(rows))), QStringLiteral("b PTQ"));
        QVERIFY(study::toPlain(compare(rows)).find("≈1.0 kB") != std::string::npos);
    }

    void columnsStandAsTheyWereMeasured() {
        FactRow f = row(RowRole::FloatTrained), p = row(RowRole::Ptq, "s");
        for (FactRow* r : {&f, &p}) {
            task(*r, "second", {{"acc", 0.5, {}}}).result.createdMs = 2000;
            task(*r, "first", {{"acc", 0.5, {}}}).result.createdMs = 1000;
        }
        task(p, "first", {{"acc", 0.25, {}}}).result.createdMs = 3000; // measured again: the newer value, for this row later in time
        const Table t = compare({f, p});
        QCOMPARE(t.columns.size(), size_t(2));
        QCOMPARE(t.columns[0].task, std::string("first"));
        QCOMPARE(*line(t, "s PTQ").cells[0].value, 0.25);
    }
    void lnRatiosArePairedByDocument() {
        const std::vector<double> base{2.0, 2.5, 3.0, 3.5}, quantized{2.1, 2.5, 3.2, 3.5};
        FactRow f = row(RowRole::FloatTrained), p = row(RowRole::Ptq, "s"), q = row(RowRole::Qat, "s");
        documents(f, base);
        documents(p, quantized);
        documents(q, base);
        const Table t = compare({f, p, q}, "wikitext.word_perplexity", 5);
        QCOMPARE(t.lnTasks.size(), size_t(1));
        // Differences of 10, 0, 20, 0 nats over 400 tokens: 30 / 400. What is left of each: 2.5, -7.5, 12.5, -7.5.
        const auto& ratio = line(t, "s PTQ").lnRatios[0];
        QVERIFY(ratio && std::abs(ratio->value - 0.075) < 1e-12);
        QVERIFY(std::abs(*ratio->error - std::sqrt(4.0 / 3 * (6.25 + 56.25 + 156.25 + 56.25)) / 400) < 1e-12);
        QVERIFY(std::abs(std::exp(ratio->value) - *line(t, "s PTQ").cells[0].value / *line(t, "float trained").cells[0].value) < 1e-12);
        QVERIFY(line(t, "s QAT").lnRatios[0]->value == 0 && !line(t, "float trained").lnRatios[0]);
        const auto text = study::textTable(t);
        QCOMPARE(QString::fromStdString(text.header.back()), QStringLiteral("wikitext ln(ppl ratio)↓"));
        QCOMPARE(cell(text, "s PTQ", text.header.size() - 1), QStringLiteral("+0.0750 ±0.0479"));
        QVERIFY(study::toCsv(t).find("wikitext ln ppl ratio stderr") != std::string::npos);
        QVERIFY(study::toJson(t).find("\"ln_ppl_ratio\":{\"wikitext\":{\"value\":0.07") != std::string::npos);
        QVERIFY(compare(publishedRows()).lnTasks.empty()); // nothing is made up without documents
    }

    void markdownParsesBack() {
        const Table t = compare(publishedRows());
        const auto text = study::textTable(t);
        const QStringList lines = QString::fromStdString(study::toMarkdown(t)).split(QLatin1Char('\n'));
        std::vector<std::vector<std::string>> cells;
        for (const QString& l : lines) {
            if (!l.startsWith(QLatin1Char('|'))) break;
            QStringList parts = l.mid(1, l.size() - 2).split(QLatin1Char('|'));
            std::vector<std::string> one;
            for (const QString& p : parts) one.push_back(p.trimmed().toStdString());
            cells.push_back(one);
        }
        QCOMPARE(cells.size(), text.rows.size() + 2);
        QVERIFY(cells[0] == text.header);
        for (size_t r = 0; r < text.rows.size(); ++r) QVERIFY(cells[r + 2] == text.rows[r]);
    }
    void latexHasTheSameCells() {
        const Table t = compare(publishedRows());
        const auto text = study::textTable(t);
        QStringList rows;
        for (const QString& l : QString::fromStdString(study::toLatex(t)).split(QLatin1Char('\n')))
            if (l.endsWith(QStringLiteral(" \\\\"))) rows << l.chopped(3);
        QCOMPARE(rows.size(), qsizetype(text.rows.size() + 1));
        const auto plain = [](QString cell) {
            const std::pair<QString, QString> marks[] = {
                {QStringLiteral(" $\\uparrow$"), QStringLiteral("↑")}, {QStringLiteral(" $\\downarrow$"), QStringLiteral("↓")},
                {QStringLiteral("$\\pm$"), QStringLiteral("±")},       {QStringLiteral("$-$"), QStringLiteral("−")},
                {QStringLiteral("--"), QStringLiteral("–")},           {QStringLiteral("\\%"), QStringLiteral("%")},
                {QStringLiteral("\\_"), QStringLiteral("_")}};
            for (const auto& [from, to] : marks) cell.replace(from, to);
            return cell.trimmed();
        };
        for (qsizetype r = 0; r < rows.size(); ++r) {
            const auto& want = r == 0 ? text.header : text.rows[size_t(r - 1)];
            const QStringList cells = rows[r].split(QStringLiteral(" & "));
            QCOMPARE(cells.size(), qsizetype(want.size()));
            for (qsizetype c = 0; c < cells.size(); ++c) QCOMPARE(plain(cells[c]), QString::fromStdString(want[size_t(c)]));
        }
    }
    void csvAndJsonAreUnrounded() {
        const Table t = compare(publishedRows());
        const QStringList lines = QString::fromStdString(study::toCsv(t)).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
        QCOMPARE(lines.size(), qsizetype(t.lines.size() + 1));
        const qsizetype at = lines[0].split(QLatin1Char(',')).indexOf(QStringLiteral("wikitext.word_perplexity degradation"));
        for (size_t i = 0; i < t.lines.size(); ++i) {
            QCOMPARE(lines[qsizetype(i) + 1].count(QLatin1Char(',')), lines[0].count(QLatin1Char(',')));
            const QString cell = lines[qsizetype(i) + 1].split(QLatin1Char(','))[at];
            const auto& want = t.lines[i].cells[2].degradation;
            QVERIFY(want ? cell.toDouble() == *want : cell.isEmpty());
        }
        const auto json = nlohmann::json::parse(study::toJson(t));
        QVERIFY(json["rows"].size() == t.lines.size() && json["rows"][3]["cells"][0]["value"].get<double>() == *t.lines[3].cells[0].value);
        QVERIFY(json["verdict"]["row"] == -1 && json["rows"][0]["cells"][0]["degradation"].is_null());
    }
    void plainLinesUp() {
        const QStringList lines = QString::fromStdString(study::toPlain(compare(publishedRows()))).split(QLatin1Char('\n'));
        QVERIFY(lines[1].startsWith(QStringLiteral("──")));
        for (int i = 2; i < 8; ++i) QCOMPARE(lines[i].size(), lines[0].size()); // the last column is right-aligned
    }

private:
    static QString cell(const study::TextTable& text, const std::string& label, size_t column) {
        for (const auto& r : text.rows)
            if (r[0] == label) return QString::fromStdString(r[column]);
        return QStringLiteral("no row");
    }
};

QTEST_GUILESS_MAIN(CompareTest)
#include "tst_compare.moc"
