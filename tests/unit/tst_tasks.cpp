// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/digest.h"
#include "base/files.h"
#include "base/utf8.h"
#include "tasks/tasks.h"
#include "test_data.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

using namespace qw;
using namespace qw::tasks;
using Json = nlohmann::json;

namespace {

const Json& golden() {
    static const Json json = Json::parse(std::ifstream(test::referenceData() / "stories260K/golden.json"));
    return json;
}
std::filesystem::path data(const char* name) { return test::referenceData() / name; }
std::string digestOf(const std::vector<ChoiceRow>& rows) {
    std::string all;
    for (const ChoiceRow& row : rows) {
        if (!all.empty()) all += '\n';
        all += row.query;
        for (const std::string& choice : row.choices) all += '\x1F' + choice;
    }
    return sha256Hex(all);
}
QString error(const Result<TaskData>& result) {
    return result ? QString() : QString::fromStdString(result.error().code + "|" + result.error().message);
}

// A temporary file with the given bytes.
struct File {
    explicit File(const QByteArray& bytes, const char* name = "task.jsonl") : path(dir.path() / name) {
        std::ofstream(path, std::ios::binary) << bytes.toStdString();
    }
    test::TempDir dir;
    std::filesystem::path path;
};

} // namespace

class TasksTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void workedRows_data() { // evaluation.md 4, read from the full file
        QTest::addColumn<int>("row");
        QTest::addColumn<QString>("query");
        QTest::addColumn<int>("choice");
        QTest::addColumn<QString>("text");
        QTest::addColumn<int>("chars");
        QTest::addColumn<int>("gold");
        const auto q = [](const char* s) { return QString::fromUtf8(s); };
        QTest::newRow("A, row 0") << 0 << q("Roof shingle removal: A man is sitting on a roof. He") << 0
                                  << q("is using wrap to wrap a pair of skis.") << 37 << 3;
        QTest::newRow("A, ending 3") << 0 << q("Roof shingle removal: A man is sitting on a roof. He") << 3
                                     << q("starts pulling up roofing on a roof.") << 36 << 3;
        QTest::newRow("B, row 563") << 563 << q("Raking leaves: A man rake dead leaves in a backyard. Then") << 3
                                    << q(", the man put the leaves in a bags.") << 35 << 3;
        QTest::newRow("C, row 2670") << 2670 << q("Tango: . A man in tuxedo and woman in party dress") << 1
                                     << q("are standing with the host of the event.") << 40 << 3;
        const QString d = q("Food and Entertaining: How to cook a bone in ham. Determine the size of ham you need. Generally bone-in "
                            "roasts weigh 10 lbs. ( 4.5 kg) or more.");
        QTest::newRow("D, row 9961")
            << 9961 << d << 3
            << q("They can feed a large family on a special occasion.. Pick an uncooked ham, if you want to cook it yourself.") << 107 << 3;
    }
    void workedRows() {
        QW_NEEDS_REFERENCE_DATA();
        QFETCH(int, row);
        QFETCH(QString, query);
        QFETCH(int, choice);
        QFETCH(QString, text);
        QFETCH(int, chars);
        QFETCH(int, gold);
        static const auto full = loadTask("hellaswag", data("hellaswag/hellaswag_val.jsonl"), 0);
        QVERIFY2(full.ok(), qPrintable(error(full)));
        const ChoiceRow& have = full->rows.at(static_cast<size_t>(row));
        QCOMPARE(QString::fromStdString(have.query), query);
        QCOMPARE(QString::fromStdString(have.choices.at(static_cast<size_t>(choice))), text);
        QCOMPARE(have.chars.at(static_cast<size_t>(choice)), chars);
        QCOMPARE(have.gold, gold);
    }
    void workedEndings() { // evaluation.md 4 D and E, whose recovered rows in the full file miss a leading space
        QCOMPARE(cleanHellaswag("[substeps] Most boneless or fatter roasts are between 10-16 lbs. ( 1.5 kg) or more."),
                 std::string(" Most boneless or fatter roasts are between 10-16 lbs. ( 1.5 kg) or more."));
        const std::string e =
            cleanHellaswag("Set the dough over parchment paper and cut it into diamond shapes. [title] Preheat the oven to 350\xC2\xBA"
                           "f/170\xC2\xBA"
                           "c.");
        QCOMPARE(e, std::string("Set the dough over parchment paper and cut it into diamond shapes.. Preheat the oven to 350\xC2\xBA"
                                "f/170\xC2\xBA"
                                "c."));
        QCOMPARE(countCodePoints(e), size_t{100});
        QCOMPARE(e.size(), size_t{102});
    }
    void hellaswagDigests() {
        QW_NEEDS_REFERENCE_DATA();
        const auto rows = loadTask("hellaswag", data("hellaswag/hellaswag_val_200.jsonl"), 0);
        QVERIFY2(rows.ok(), qPrintable(error(rows)));
        QCOMPARE(rows->rows.size(), size_t{200});
        QCOMPARE(digestOf(rows->rows), golden()["text_digests"]["hellaswag_val_200"].get<std::string>());
        QCOMPARE(rows->version, std::string("1.0"));
        QVERIFY(rows->notes.empty());
        const auto full = loadTask("hellaswag", data("hellaswag/hellaswag_val.jsonl"), 0);
        QVERIFY2(full.ok(), qPrintable(error(full)));
        QCOMPARE(full->rows.size(), size_t{10042});
        QCOMPARE(digestOf(full->rows), golden()["text_digests"]["hellaswag_val_full"].get<std::string>());
    }
    void wikitextPagesAndDigests() {
        QW_NEEDS_REFERENCE_DATA();
        const auto text = readFile(data("wikitext-2-raw/wiki.test.raw"));
        QVERIFY(text.ok());
        const auto pages = wikitextPages(*text);
        const Json& want = golden()["text_digests"]["wiki_test_pages"];
        QCOMPARE(pages.size(), want.size());
        const auto task = loadTask("wikitext", data("wikitext-2-raw/wiki.test.raw"), 0);
        QVERIFY(task.ok());
        QCOMPARE(task->knownFile, std::string("official wikitext-2-raw-v1 test"));
        std::string raw, plain;
        int64_t words = 0, bytes = 0;
        for (size_t i = 0; i < pages.size(); ++i) {
            const Document& document = task->documents.at(i);
            QCOMPARE(document.words, want[i]["words"].get<int64_t>());
            QCOMPARE(document.bytes, want[i]["bytes"].get<int64_t>());
            QCOMPARE(static_cast<int64_t>(document.text.size()), want[i]["detok_bytes"].get<int64_t>());
            QCOMPARE(sha256Hex(pages[i]).substr(0, 16), want[i]["raw_sha256"].get<std::string>());
            QCOMPARE(sha256Hex(document.text).substr(0, 16), want[i]["detok_sha256"].get<std::string>());
            words += document.words;
            bytes += document.bytes;
            if (i) {
                raw += '\0';
                plain += '\0';
            }
            raw += pages[i];
            plain += document.text;
        }
        QCOMPARE(words, 241335);
        QCOMPARE(bytes, 1290527);
        QCOMPARE(sha256Hex(raw), golden()["text_digests"]["wiki_test_all_raw_pages_joined_U+0000"].get<std::string>());
        QCOMPARE(sha256Hex(plain), golden()["text_digests"]["wiki_test_all_detok_pages_joined_U+0000"].get<std::string>());
        QCOMPARE(task->documents[28].text,
                 std::string(
                     " = 1 rad / s and a nominal impedance k =\n1 \xCE\xA9. This is produced by a filter half-section with inductance L "));
    }
    void wikitextValidationCounts() {
        QW_NEEDS_REFERENCE_DATA();
        const auto task = loadTask("wikitext", data("wikitext-2-raw/wiki.valid.raw"), 0);
        QVERIFY(task.ok());
        QCOMPARE(task->documents.size(), size_t{60});
        QCOMPARE(task->knownFile, std::string("official wikitext-2-raw-v1 validation"));
        int64_t words = 0, bytes = 0;
        for (const Document& d : task->documents) {
            words += d.words;
            bytes += d.bytes;
        }
        QCOMPARE(words, 214006);
        QCOMPARE(bytes, 1146785);
    }
    void carriageReturnsChangeNothing() {
        QW_NEEDS_REFERENCE_DATA();
        auto text = readFile(data("wikitext-2-raw/wiki.test.raw"));
        QVERIFY(text.ok());
        QByteArray crlf = QByteArray::fromStdString(*text);
        crlf.replace("\n", "\r\n");
        const File file(crlf, "wiki.txt");
        const auto have = loadTask("wikitext", file.path, 3), want = loadTask("wikitext", data("wikitext-2-raw/wiki.test.raw"), 3);
        QVERIFY(have.ok() && want.ok());
        QCOMPARE(have->knownFile, std::string("official wikitext-2-raw-v1 test"));
        QCOMPARE(have->documents.size(), size_t{3});
        QCOMPARE(have->documents[2].text, want->documents[2].text);
        QCOMPARE(have->documents[2].line, want->documents[2].line);
        QCOMPARE(have->total, 62);
        const File changed("# custom\n = A = \n text \n", "wiki.txt");
        const auto custom = loadTask("wikitext", changed.path, 0);
        QVERIFY(custom.ok());
        QVERIFY(custom->knownFile.empty() && !custom->notes.empty());
        QCOMPARE(custom->documents.size(), size_t{2}); // what stands before the first title is a page when it is not blank
        QCOMPARE(custom->documents[1].line, 2);
    }
    void rejects_data() {
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QString>("want"); // part of "code|path:line: field: what"
        const QByteArray good(R"({"activity_label":"A","ctx_a":"b","endings":["c","d"],"label":0})");
        const auto row = [&](const char* name, QByteArray line, const char* want) {
            QTest::newRow(name) << good + "\n\n" + line + "\n" << QStringLiteral("hellaswag") << QString::fromLatin1(want);
        };
        row("broken JSON has line and column", R"({"a":1,})", "task.jsonl:3: invalid JSON at column 8");
        row("not an object", "[1]", "task.jsonl:3: is an array");
        row("no activity_label", R"({"ctx_a":"b","endings":["c","d"],"label":0})", ":3: activity_label: is missing");
        row("activity_label is a number", R"({"activity_label":1,"ctx_a":"b","endings":["c","d"],"label":0})",
            ":3: activity_label: is a number");
        row("no context", R"({"activity_label":"A","endings":["c","d"],"label":0})", ":3: ctx_a: is missing");
        row("ctx_b is null", R"({"activity_label":"A","ctx_a":"b","ctx_b":null,"endings":["c","d"],"label":0})", ":3: ctx_b: is null");
        row("no endings", R"({"activity_label":"A","ctx_a":"b","label":0})", ":3: endings: is missing");
        row("endings is a string", R"({"activity_label":"A","ctx_a":"b","endings":"cd","label":0})", ":3: endings: is a string");
        row("one ending", R"({"activity_label":"A","ctx_a":"b","endings":["c"],"label":0})", ":3: endings: has 1 entries");
        row("ending is a number", R"({"activity_label":"A","ctx_a":"b","endings":["c",2],"label":0})", ":3: endings[1]: is a number");
        row("blank ending", R"({"activity_label":"A","ctx_a":"b","endings":["c","[step]"],"label":0})",
            ":3: endings[1]: is blank after cleaning");
        row("label too high", R"({"activity_label":"A","ctx_a":"b","endings":["c","d"],"label":2})",
            ":3: label: 2 is out of range, 0 to 1 was expected");
        row("label below 0", R"({"activity_label":"A","ctx_a":"b","endings":["c","d"],"label":-1})", ":3: label: -1 is out of range");
        row("label is huge", R"({"activity_label":"A","ctx_a":"b","endings":["c","d"],"label":"99999999999999999999"})", ":3: label: ");
        row("label is a word", R"({"activity_label":"A","ctx_a":"b","endings":["c","d"],"label":"x"})", "is not a whole number");
        row("label is a fraction", R"({"activity_label":"A","ctx_a":"b","endings":["c","d"],"label":0.5})", ":3: label: is a number");
        row("label is true", R"({"activity_label":"A","ctx_a":"b","endings":["c","d"],"label":true})", ":3: label: is true or false");
        row("label is empty", R"({"activity_label":"A","ctx_a":"b","endings":["c","d"],"label":""})", "row has no label, cannot be scored");
        row("no label", R"({"activity_label":"A","ctx_a":"b","endings":["c","d"]})", "row has no label, cannot be scored");
        row("U+0000 in a string", R"({"activity_label":"A\u0000","ctx_a":"b","endings":["c","d"],"label":0})",
            ":3: activity_label: holds U+0000");
        row("invalid UTF-8", "{\"activity_label\":\"\xFF\"}", ":3: is not valid UTF-8 at byte 19");
        row("raw U+0000", QByteArray("{\0}", 3), ":3: holds U+0000");
        row("long line", QByteArray((1 << 20) + 1, 'x'), ":3: the line has 1048577 bytes");
        row("mixed forms", R"({"query":"q","choices":["a","b"],"gold":0})", "line 1 has the other form");
        const auto other = [](const char* name, const QByteArray& file, const char* kind, const char* want) {
            QTest::newRow(name) << file << QString::fromLatin1(kind) << QString::fromLatin1(want);
        };
        other("cleaned: gold out of range", R"({"query":"q","choices":["a","b"],"gold":2})", "hellaswag", ":1: gold: 2 is out of range");
        other("cleaned: gold is text", R"({"query":"q","choices":["a","b"],"gold":"1"})", "hellaswag", ":1: gold: ");
        other("cleaned: blank choice", R"({"query":"q","choices":["a",""],"gold":0})", "hellaswag", ":1: choices[1]: is blank");
        other("cleaned: no query", R"({"choices":["a","b"],"gold":0})", "hellaswag", ":1: query: is missing");
        other("no rows", "\n\n", "hellaswag", "data.empty|");
        other("empty file", "", "wikitext", "data.empty|");
        other("blank text", " \n \n", "plain", "data.empty|");
        other("text: invalid UTF-8", "ab\ncd\xC3(\n", "wikitext", ":2: is not valid UTF-8 at byte offset 5 of the file");
        other("text: U+0000", QByteArray("ab\nc\0", 5), "plain", ":2: holds U+0000 at byte offset 4");
        other("jsonl: no text", R"({"texts":"a"})", "jsonl", ":1: text: is missing");
        other("jsonl: blank text", R"({"text":" \n"})", "jsonl", ":1: text: has no character but white space");
        other("unknown kind", "x", "squad", "config.invalid|");
    }
    void rejects() {
        QFETCH(QByteArray, file);
        QFETCH(QString, kind);
        QFETCH(QString, want);
        const File made(file);
        const auto result = loadTask(kind.toStdString(), made.path, 0);
        QVERIFY2(error(result).contains(want), qPrintable(error(result)));
    }
    void listsTwentyErrors() {
        const File file(QByteArray("{}\n").repeated(30));
        const auto result = loadTask("jsonl", file.path, 0);
        QCOMPARE(error(result).count(QStringLiteral("task.jsonl:")), 20);
        QVERIFY(error(result).contains(QStringLiteral(":20: ")) && !error(result).contains(QStringLiteral(":21: ")));
        QCOMPARE(result.error().code, std::string("data.unreadable"));
        QVERIFY(!loadTask("jsonl", "/nonexistent/file", 0).ok());
        QCOMPARE(loadTask("jsonl", "/nonexistent/file", 0).error().code, std::string("file.not_found"));
        QVERIFY(!loadTask("jsonl", file.path, -1).ok());
    }
    void acceptsBothForms() {
        const File original(
            "\xEF\xBB\xBF{\"activity_label\":\"A\",\"ctx\":\"b "
            "c\",\"endings\":[\"c\",\"d\",\"e\"],\"label\":\"2\",\"label\":\"1\",\"ind\":null}\r\n\r\n"
            "{\"activity_label\":\"A\",\"ctx_a\":\"b\",\"ctx_b\":\"c D\",\"ctx\":\"other\",\"endings\":[\"c\",\"d\"],\"label\":0}\r\n");
        const auto first = loadTask("hellaswag", original.path, 0);
        QVERIFY2(first.ok(), qPrintable(error(first)));
        QCOMPARE(first->rows[0].query, std::string("A: b c"));
        QCOMPARE(first->rows[0].gold, 1); // of duplicate keys the last one
        QCOMPARE(first->rows[0].choices.size(), size_t{3});
        QCOMPARE(first->rows[1].query, std::string("A: b C d"));
        QCOMPARE(first->rows[1].line, 3);
        QCOMPARE(first->notes.size(), size_t{2});
        QCOMPARE(first->notes[0], std::string("contexts not re-capitalised"));
        const File cleaned("{\"query\":\"\",\"choices\":[\" a [x]\",\"b\"],\"gold\":1}");
        const auto second = loadTask("hellaswag", cleaned.path, 0);
        QVERIFY2(second.ok(), qPrintable(error(second)));
        QCOMPARE(second->rows[0].choices[0], std::string(" a [x]")); // as it is
        QCOMPARE(second->rows[0].chars[0], 6);
    }
    void limits() {
        const File file(QByteArray("{\"text\":\"a\"}\n").repeated(10));
        const auto n = [&](double limit) { return loadTask("jsonl", file.path, limit)->documents.size(); };
        QCOMPARE(n(0), size_t{10});
        QCOMPARE(n(3), size_t{3});
        QCOMPARE(n(30), size_t{10});
        QCOMPARE(n(0.25), size_t{3}); // ceil(2.5)
        QCOMPARE(n(1), size_t{1});
        QCOMPARE(loadTask("jsonl", file.path, 3)->total, 10);
    }
    void kinds() {
        records::EvalTask task;
        task.name = "hellaswag";
        QCOMPARE(*taskKind(task), std::string("hellaswag"));
        task.name = "mine";
        QVERIFY(!taskKind(task).ok());
        task.mode = "plain";
        QCOMPARE(*taskKind(task), std::string("plain"));
        task.mode = "squad";
        QCOMPARE(taskKind(task).error().code, std::string("config.invalid"));
    }
    void judgesAndCounts() {
        ChoiceRow row;
        row.chars = {10, 1, 5};
        row.gold = 0;
        records::EvalItem item;
        item.ll = {-5, -3, -3};
        judgeChoice(row, item);
        QCOMPARE(item.correct, 0);     // a tie of 1 and 2: 1 wins
        QCOMPARE(item.correctNorm, 1); // -0.5 beats -3 and -0.6
        row.gold = 1;
        judgeChoice(row, item);
        QCOMPARE(item.correct, 1);
        const auto metrics = taskMetrics("hellaswag", {item, item, item, item});
        QCOMPARE(metrics[0].name, std::string("acc"));
        QCOMPARE(metrics[0].value, 1.0);
        QCOMPARE(metrics[1].value, 0.0);
        QVERIFY(metrics[0].stderror);
        QVERIFY(!taskMetrics("hellaswag", {item})[0].stderror);
        records::EvalItem a, b;
        a.ll = {-30};
        a.words = 6;
        a.bytes = 20;
        a.tokens = 8;
        b.ll = {-10};
        b.words = 4;
        b.bytes = 12;
        b.tokens = 2;
        const auto ratios = taskMetrics("wikitext", {a, b});
        QCOMPARE(ratios.size(), size_t{3});
        QCOMPARE(ratios[0].value, std::exp(4.0));
        QCOMPARE(ratios[1].value, std::exp(1.25));
        QVERIFY(std::abs(ratios[2].value - std::log2(ratios[1].value)) < 1e-15);
        QVERIFY(!ratios[0].stderror);
        QCOMPARE(taskMetrics("jsonl", {a, b})[3].value, 4.0);
        QVERIFY(taskMetrics("jsonl", {}).empty());
    }
};

QTEST_GUILESS_MAIN(TasksTest)
#include "tst_tasks.moc"
