// SPDX-License-Identifier: GPL-3.0-or-later
// What: published results: read from CSV and from lm-evaluation-harness, kept as runs, compared with each other and with nothing else.
#include "drive/import_results.h"
#include "store_fixture.h"
#include "study/compare_text.h"
#include "study/gather.h"

#include <cmath>

using namespace qw;
using namespace qw::test;
using store::Store;
namespace fs = std::filesystem;

namespace {

// The first block of torchao's README (evaluation.md 9).
const char* const kReadme = "name,role,scheme,task,metric,value,stderr,n\n"
                            "float,float,,hellaswag,acc,57.86%,0.49%,10042\n"
                            "float,float,,hellaswag,acc_norm,76.60%,,\n"
                            "float,float,,wikitext,word_perplexity,8.905,,62\n"
                            "\"8da4w, PTQ\",ptq,8da4w,hellaswag,acc,51.74%,0.50%,10042\r\n"
                            "\"8da4w, PTQ\",ptq,8da4w,hellaswag,acc_norm,70.66%,,\n"
                            "\"8da4w, PTQ\",ptq,8da4w,wikitext,word_perplexity,11.878,,62\n"
                            "8da4w QAT,qat,8da4w,hellaswag,acc,57.25%,0.49%,10042\n"
                            "8da4w QAT,qat,8da4w,hellaswag,acc_norm,76.51%,,\n"
                            "8da4w QAT,qat,8da4w,wikitext,word_perplexity,9.859,,62\n";

study::Table tableOf(const Store& store, const std::vector<std::string>& runs) {
    std::vector<study::FactRow> rows;
    for (const std::string& uid : runs) rows.push_back(*study::gatherRun(store, uid));
    return study::compare(rows, {});
}
const study::Line& line(const study::Table& table, const std::string& label) {
    for (const auto& one : table.lines)
        if (one.label == label) return one;
    qFatal("no line %s", label.c_str());
}

} // namespace

class PublishedTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void readmeRowsGiveTheReadmesShares() {
        const TempDir dir;
        writeText(dir.path() / "readme.csv", kReadme);
        std::vector<std::string> made;
        {
            auto store = Store::open(dir.path() / "p");
            QVERIFY(store.ok());
            made = *drive::importResults(*store, dir.path() / "readme.csv");
            QCOMPARE(made.size(), size_t(3));
        }
        QVERIFY(Store::rebuild(dir.path() / "p").ok()); // the folders alone tell everything
        const auto store = Store::open(dir.path() / "p");
        const auto table = tableOf(*store, made);
        const auto& qat = line(table, "8da4w QAT");
        QCOMPARE(table.columns.size(), size_t(3));
        const double recovered[] = {90.03, 98.48, 67.91};
        for (size_t c = 0; c < 3; ++c) {
            QVERIFY2(qat.cells[c].recovered, qat.cells[c].recoveredNote.c_str());
            QVERIFY2(std::abs(*qat.cells[c].recovered - recovered[c]) < 0.005, study::toPlain(table).c_str());
            QVERIFY(!qat.cells[c].pReference && !qat.cells[c].pTwin && qat.cells[c].notComparable.empty()); // no items, no p-value
        }
        QVERIFY(table.lnTasks.empty());
        QVERIFY(std::abs(*line(table, "8da4w, PTQ").cells[0].degradation + 0.0612) < 1e-12);
        QVERIFY(std::abs(*line(table, "float").cells[0].stderror - 0.0049) < 1e-12);
        QVERIFY(table.verdict.line < 0 || !table.verdict.sentence.empty());
        const auto run = store->run(made[1]);
        QVERIFY(run.ok() && run->state == records::RunState::Completed);
        QVERIFY(run->identity.tags == std::vector<std::string>{"published"});
    }

    void rowsOfAnotherFileAreNotComparable() {
        const TempDir dir;
        writeText(dir.path() / "a.csv", kReadme);
        writeText(dir.path() / "b.json", "{\"results\": {\"hellaswag\": {\"alias\": \"hellaswag\", \"acc,none\": 0.5, \"acc_stderr,no"
                                         "ne\": 0.005, \"acc_norm,none\": 0.7}}, \"n-samples\": {\"hellaswag\": {\"original\": 1004"
                                         "2, \"effective\": 100}}, \"versions\": {\"hellaswag\": 1.0}, \"model_name\": \"other\"}");
        auto store = Store::open(dir.path() / "p");
        auto runs = *drive::importResults(*store, dir.path() / "a.csv");
        const auto more = drive::importResults(*store, dir.path() / "b.json");
        QVERIFY2(more.ok(), more.ok() ? "" : more.error().message.c_str());
        QCOMPARE(more->size(), size_t(1));
        const auto other = *study::gatherRun(*store, more->front());
        QCOMPARE(other.tasks.size(), size_t(1));
        QCOMPARE(other.tasks[0].result.n, int64_t(100));
        QCOMPARE(other.tasks[0].result.metrics.size(), size_t(2));
        QCOMPARE(other.tasks[0].result.taskVersion, std::string("1.0"));
        std::vector<study::FactRow> rows{*study::gatherRun(*store, runs[0]), other};
        study::CompareOptions options;
        options.baseline = runs[0];
        const auto table = study::compare(rows, options);
        QVERIFY2(line(table, "other").cells[0].notComparable.find("published elsewhere") != std::string::npos,
                 study::toPlain(table).c_str());
    }

    void badFilesSayWhereAndLeaveNothing_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("words");
        const auto add = [](const char* name, const char* text, const char* words) {
            QTest::newRow(name) << QByteArray(text) << QString::fromLatin1(words);
        };
        add("empty", "", "no value");
        add("header only", "name,task,metric,value\n", "no value");
        add("column missing", "name,task,value\nx,y,1\n", ":1: the column 'metric' is missing");
        add("column unknown", "name,task,metric,value,colour\n", ":1: column 'colour'");
        add("no number", "name,task,metric,value\nx,hellaswag,acc,high\n", ":2: value: 'high' is not a number");
        add("percent without sign", "name,task,metric,value\n\nx,hellaswag,acc,57.86\n", ":3: acc must be a share");
        add("not finite", "name,task,metric,value\nx,hellaswag,acc,nan\n", ":2: value: 'nan'");
        add("metric unknown", "name,task,metric,value\nx,hellaswag,f1,0.5\n", ":2: metric 'f1'");
        add("role unknown", "name,role,task,metric,value\nx,awq,hellaswag,acc,0.5\n", ":2: role 'awq'");
        add("twice", "name,task,metric,value\nx,hellaswag,acc,0.5\nx,hellaswag,acc,0.6\n", ":3: x has acc of hellaswag twice");
        add("half an item", "name,task,metric,value,n\nx,hellaswag,acc,0.5,10.5\n", ":2: n: '10.5' is not a count");
        add("bytes beyond counting", "name,task,metric,value,bytes\nx,hellaswag,acc,0.5,1e300\n", ":2: bytes: '1e300' is not a count");
        add("no name", "name,task,metric,value\n,hellaswag,acc,0.5\n", ":2: the row has no name");
        add("too wide", "name,task,metric,value\nx,hellaswag,acc,0.5,1\n", ":2: the line has more fields");
        add("another json", "{\"a\": 1}", "no results file");
        add("json of other types",
            "{\"results\": {\"x\": 5, \"y\": {\"acc,none\": 2}}, \"model_name\": 7, \"n-samples\": {\"y\": {\"effective\": \"all\"}}}",
            "results.y: acc must be a share");
        add("json without metrics", "{\"results\": {\"x\": {\"f1,none\": 0.5}}}", "no metric that is known");
    }
    void badFilesSayWhereAndLeaveNothing() {
        QFETCH(QByteArray, text);
        QFETCH(QString, words);
        const TempDir dir;
        writeText(dir.path() / "bad.csv", text.toStdString());
        auto store = Store::open(dir.path() / "p");
        const auto made = drive::importResults(*store, dir.path() / "bad.csv");
        QVERIFY(!made.ok());
        QVERIFY2(QString::fromStdString(made.error().message).contains(words), made.error().message.c_str());
        QVERIFY(!made.error().hint.empty());
        QVERIFY(wire::listRunFolders(dir.path() / "p").empty());
    }
};

QTEST_GUILESS_MAIN(PublishedTest)
#include "tst_published.moc"
