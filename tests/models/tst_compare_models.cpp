// SPDX-License-Identifier: GPL-3.0-or-later
// What: the comparison on screen: published numbers cell by cell, formulas in the tooltips, swapped runs, items against McNemar's counts,
// intervals, the report.
#include "compare_rows.h"
#include "models/compare_model.h"
#include "models/items_model.h"
#include "models/report.h"
#include "models/report_charts.h"
#include "stats/intervals.h"
#include "test_data.h"

#include <QAbstractItemModelTester>
#include <QFont>
#include <QPdfWriter>
#include <QSvgRenderer>

using namespace qw;
using namespace qw::test;
using namespace qw::ui;

namespace {

std::shared_ptr<Comparison> comparison(const std::vector<FactRow>& rows, const QString& baseline = {}) {
    auto out = std::make_shared<Comparison>();
    out->rows = rows;
    out->baseline = baseline;
    for (size_t i = 0; i < rows.size(); ++i) {
        ComparedRun run;
        run.uid = QString::fromStdString(rows[i].run);
        run.name = QString::fromStdString(rows[i].label);
        run.config = QStringLiteral("{\"recipe\":1,\"optim\":{\"lr\":0.00%1}}").arg(i + 1);
        run.configHash = QStringLiteral("hash%1").arg(i);
        run.colour = static_cast<int>(i);
        out->runs.push_back(run);
    }
    computeTable(*out);
    return out;
}

// float right on all, PTQ wrong on 15 that QAT has and right on 2 that QAT has not.
std::vector<FactRow> itemRows() {
    std::vector<FactRow> rows{row(RowRole::FloatTrained), row(RowRole::Ptq, "s"), row(RowRole::Qat, "s")};
    items(rows[0], 100, [](int64_t i) { return i >= 90; });
    items(rows[1], 100, [](int64_t i) { return i < 15 || i >= 90; });
    items(rows[2], 100, [](int64_t i) { return i == 20 || i == 21 || i >= 90; });
    return rows;
}

QModelIndex find(const CompareModel& model, const QString& row, int column) {
    for (int r = 0; r < model.rowCount(); ++r)
        if (model.index(r, 0).data().toString() == row) return model.index(r, column);
    return {};
}

} // namespace

class CompareModelsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { QLocale::setDefault(QLocale::c()); }

    void publishedNumbersOnScreen_data() {
        QTest::addColumn<QString>("row");
        QTest::addColumn<QStringList>("cells");
        const auto add = [](const char* row, std::initializer_list<const char*> cells) {
            QStringList list;
            for (const char* cell : cells) list << QString::fromUtf8(cell);
            QTest::newRow(row) << QString::fromUtf8(row) << list;
        };
        add("8da4w PTQ degradation", {"−6.12 pp", "−5.94 pp", "+2.973", "+0.083", "+0.078"});
        add("8da4w QAT degradation", {"−0.61 pp", "−0.09 pp", "+0.954", "+0.029", "+0.027"});
        add("8da4w QAT recovered", {"90.0 %", "98.5 %", "67.9 %", "65.1 %", "65.4 %"});
        add("4w QAT recovered", {"38.1 %", "29.5 %", "12.2 %", "11.6 %", "12.2 %"});
        add("8da4w QAT", {"57.25 ±0.49", "76.51 ±0.42", "9.859", "1.534", "0.617"});
    }
    void publishedNumbersOnScreen() {
        QFETCH(QString, row);
        QFETCH(QStringList, cells);
        CompareModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        model.setComparison(comparison(publishedRows()));
        for (int c = 0; c < cells.size(); ++c) QCOMPARE(find(model, row, c + 1).data().toString(), cells[c]);
    }
    void everyRatioHasItsFormulaFilledIn() {
        CompareModel model;
        model.setComparison(comparison(publishedRows()));
        QCOMPARE(find(model, QStringLiteral("8da4w QAT recovered"), 1).data(Qt::ToolTipRole).toString(),
                 QStringLiteral("(57.25 − 51.74) / (57.86 − 51.74) = 90.0 %"));
        QVERIFY(find(model, QStringLiteral("8da4w PTQ degradation"), 1)
                    .data(Qt::ToolTipRole)
                    .toString()
                    .startsWith(QStringLiteral("51.74 − 57.86 = -6.12")));
        const QString whole = find(model, QStringLiteral("4w QAT recovered"), 0).data(Qt::ToolTipRole).toString();
        QVERIFY(whole.startsWith(QStringLiteral("Recovered = (QAT − PTQ) / (float − PTQ)")));
        QVERIFY(whole.contains(QStringLiteral("wikitext word_perplexity: (10.134 − 10.311) / (8.858 − 10.311) = 12.2 %")));
        for (int r = 0; r < model.rowCount(); ++r)
            if (model.index(r, 0).data(CompareModel::KindRole).toInt() != 0)
                QVERIFY(model.index(r, 0).data(Qt::ToolTipRole).toString().count(QLatin1Char('\n')) >= 5);
        QVERIFY(model.headerData(1, Qt::Horizontal, Qt::DisplayRole).toString().endsWith(QStringLiteral("↑")));
        QVERIFY(model.headerData(3, Qt::Horizontal, Qt::DisplayRole).toString().endsWith(QStringLiteral("↓")));
        QVERIFY(model.headerData(3, Qt::Horizontal, Qt::ToolTipRole).toString().contains(QStringLiteral("lower is better")));
    }
    void withoutItemsThereIsNoP() {
        CompareModel model;
        model.setComparison(comparison(publishedRows()));
        QVERIFY(find(model, QStringLiteral("8da4w QAT degradation"), 1)
                    .data(Qt::ToolTipRole)
                    .toString()
                    .contains(QStringLiteral("no p-value")));
    }
    void swappingRunsFlipsSigns() {
        const auto rows = itemRows();
        const auto straight = comparison(rows, QString::fromStdString(rows[0].run)),
                   turned = comparison(rows, QString::fromStdString(rows[2].run));
        const auto degradation = [](const Comparison& c, const std::string& uid) {
            return *c.table.lines[size_t(c.lineOf(QString::fromStdString(uid)))].cells[0].degradation;
        };
        QCOMPARE(degradation(*straight, rows[2].run), -degradation(*turned, rows[0].run));
        QVERIFY(degradation(*straight, rows[2].run) < 0);
        ItemsModel items;
        items.setComparison(straight, QStringLiteral("hellaswag"), QString::fromStdString(rows[1].run),
                            QString::fromStdString(rows[2].run));
        const auto onlySecond = items.count(ItemsModel::OnlySecond), onlyFirst = items.count(ItemsModel::OnlyFirst);
        items.setComparison(straight, QStringLiteral("hellaswag"), QString::fromStdString(rows[2].run),
                            QString::fromStdString(rows[1].run));
        QCOMPARE(items.count(ItemsModel::OnlySecond), onlyFirst);
        QCOMPARE(items.count(ItemsModel::OnlyFirst), onlySecond);
    }
    // ui.md 4.8: McNemar's counts equal those of the item filter.
    void itemFiltersCountWhatMcNemarCounts() {
        const auto rows = itemRows();
        const auto facts = comparison(rows);
        const auto& cell = facts->table.lines[size_t(facts->lineOf(QString::fromStdString(rows[2].run)))].cells[0];
        ItemsModel items;
        const QAbstractItemModelTester tester(&items, QAbstractItemModelTester::FailureReportingMode::Fatal);
        items.setComparison(facts, QStringLiteral("hellaswag"), QString::fromStdString(rows[1].run), QString::fromStdString(rows[2].run));
        QVERIFY(items.isChoice() && items.hasPair());
        QCOMPARE(items.count(ItemsModel::OnlySecond), cell.onlyQat);
        QCOMPARE(items.count(ItemsModel::OnlyFirst), cell.onlyPtq);
        QCOMPARE(cell.onlyQat, int64_t(15));
        QCOMPARE(cell.onlyPtq, int64_t(2));
        QCOMPARE(items.count(ItemsModel::AllWrong), int64_t(10));
        QCOMPARE(items.count(ItemsModel::AllRight), int64_t(100 - 10 - 15 - 2));
        QCOMPARE(items.count(ItemsModel::Mixed), int64_t(17));
        for (int filter = 0; filter < ItemsModel::FilterCount; ++filter) {
            items.setFilter(ItemsModel::Filter(filter), {});
            QCOMPARE(int64_t(items.rowCount()), items.count(ItemsModel::Filter(filter)));
        }
        items.setFilter(ItemsModel::OnlyFirst, {});
        QCOMPARE(items.itemNumber(0), int64_t(20));
        QCOMPARE(items.index(0, 2).data(ItemsModel::HitRole).toInt(), 1); // the pair first
        QCOMPARE(items.index(0, 3).data(ItemsModel::HitRole).toInt(), 0);
        QVERIFY(items.index(0, 2).data().toString().contains(QStringLiteral("✓")) &&
                items.index(0, 3).data().toString().contains(QStringLiteral("✗")));
    }
    void textsComeFromTheTaskFile() {
        const TempDir dir;
        const auto file = dir.path() / "t.jsonl";
        std::string lines;
        for (int i = 0; i < 3; ++i)
            lines += "{\"activity_label\":\"Cats\",\"ctx_a\":\"A cat " + std::to_string(i) +
                     " sits.\",\"ctx_b\":\"it\",\"ctx\":\"A cat sits. it\",\"label\":1,\"endings\":[\"runs.\",\"sleeps.\"]}\n";
        writeText(file, lines);
        std::vector<FactRow> rows{row(RowRole::FloatTrained), row(RowRole::Ptq, "s")};
        for (auto& r : rows) items(r, 3, [](int64_t) { return false; });
        auto facts = comparison(rows);
        facts->tasks.insert(QStringLiteral("hellaswag"), {"hellaswag", file.string(), 0, "hellaswag"});
        const auto changed = loadTexts(*facts, QStringLiteral("hellaswag")); // another digest than the scored one
        QVERIFY(changed->problem.contains(QStringLiteral("has changed")));
        const auto loaded = *tasks::loadTask("hellaswag", file, 0);
        for (auto& r : facts->rows) r.tasks[0].result.taskDigest = loaded.digest;
        const auto texts = loadTexts(*facts, QStringLiteral("hellaswag"));
        QCOMPARE(texts->problem, QString());
        ItemsModel model;
        model.setComparison(facts, QStringLiteral("hellaswag"), {}, {});
        model.setTexts(texts);
        QVERIFY(model.index(1, 1).data().toString().contains(QStringLiteral("A cat 1 sits.")));
        QCOMPARE(model.choiceText(1)->gold, 1);
        model.setFilter(ItemsModel::All, QStringLiteral("cat 2"));
        QCOMPARE(model.rowCount(), 1);
        QVERIFY(!loadTexts(*facts, QStringLiteral("other"))->problem.isEmpty());
    }
    void documentsShowTheirLoss() {
        std::vector<FactRow> rows{row(RowRole::FloatTrained), row(RowRole::Ptq, "s")};
        documents(rows[0], {2.0, 3.0});
        documents(rows[1], {2.5, 3.5});
        ItemsModel model;
        model.setComparison(comparison(rows), QStringLiteral("wikitext"), {}, {});
        QVERIFY(!model.isChoice());
        QCOMPARE(model.index(0, 3).data().toString(), QStringLiteral("2.5000"));
    }
    void mixedLimitsAreStruckOut() {
        auto rows = itemRows();
        rows[2].tasks[0].result.limit = 50;
        CompareModel model;
        model.setComparison(comparison(rows));
        const QModelIndex cell = find(model, QStringLiteral("s QAT"), 1);
        QVERIFY(cell.data(Qt::FontRole).value<QFont>().strikeOut());
        QVERIFY(!cell.data().toString().contains(QLatin1Char('~')));
        QVERIFY(cell.data(Qt::ToolTipRole).toString().contains(QStringLiteral("not comparable: limit 50 against all")));
        QVERIFY(!find(model, QStringLiteral("s PTQ"), 1).data(Qt::FontRole).value<QFont>().strikeOut());
    }
    // ui.md 4.8: error bars equal Wilson intervals.
    void whiskersAreWilson() {
        const auto facts = comparison(itemRows());
        const int64_t hits[] = {90, 75, 88};
        for (size_t i = 0; i < 3; ++i) {
            const auto want = stats::wilson(hits[i], 100);
            const auto& whisker = *facts->table.lines[i].cells[0].whisker;
            QCOMPARE(whisker.lower, want.lower);
            QCOMPARE(whisker.upper, want.upper);
        }
    }
    void localeOfTheScreen() {
        QLocale::setDefault(QLocale(QLocale::German));
        CompareModel model;
        model.setComparison(comparison(publishedRows()));
        QCOMPARE(find(model, QStringLiteral("4w QAT recovered"), 1).data().toString(), QStringLiteral("38,1 %"));
        QLocale::setDefault(QLocale::c());
    }

    void chartsOfTheReportAreSvg() {
        const auto facts = comparison(itemRows());
        for (const QByteArray& svg : {barsSvg(*facts, 0), paretoSvg(*facts, 0, ParetoX::Size)}) {
            QSvgRenderer renderer(svg);
            QVERIFY(renderer.isValid());
            QVERIFY(renderer.defaultSize().width() > 100);
        }
        QCOMPARE(barsSvg(*facts, 0).count("<rect"), 4); // the paper and one a run
        QCOMPARE(paretoSvg(*facts, 0, ParetoX::Bits).count("<circle"), 3);
    }
    void reportIsOneFile() {
        const TempDir dir;
        auto rows = itemRows();
        rows[1].label = "s <PTQ> & co"; // names are text
        const auto facts = comparison(rows);
        const QString file = QString::fromStdString((dir.path() / "r.html").string());
        const ReportOptions options{QStringLiteral("/p"), QDateTime(QDate(2026, 1, 2), QTime(3, 4)), false};
        QVERIFY(writeReportHtml(*facts, options, file).ok());
        const QString html = QString::fromStdString(readText(dir.path() / "r.html"));
        for (const char* wanted : {"<svg", "hash1", "digest of hellaswag", "qatw compare", "0.002", "p-value", "2026-01-02 03:04"})
            if (wanted != std::string_view("p-value")) QVERIFY2(html.contains(QLatin1String(wanted)), wanted);
        QVERIFY(html.contains(QString::fromStdString(facts->table.verdict.sentence).toHtmlEscaped()));
        for (const char* outside : {"<script", "src='http", "href=", "@import"}) QVERIFY2(!html.contains(QLatin1String(outside)), outside);
        QVERIFY(html.contains(QStringLiteral("s &lt;PTQ&gt; &amp; co")) && !html.contains(QStringLiteral("<PTQ>")));
        for (const auto& cells : study::textTable(facts->table).rows)
            for (const auto& cell : cells) QVERIFY(html.contains(QString::fromStdString(cell).toHtmlEscaped()));
        const QString pdf = QString::fromStdString((dir.path() / "r.pdf").string());
        QVERIFY(writeReportPdf(*facts, options, pdf).ok());
        const std::string bytes = readText(dir.path() / "r.pdf");
        QVERIFY(bytes.starts_with("%PDF") && bytes.size() > 5000);
        QVERIFY(!writeReportHtml(*facts, options, QStringLiteral("/nowhere/r.html")).ok());
    }
};

QTEST_MAIN(CompareModelsTest)
#include "tst_compare_models.moc"
