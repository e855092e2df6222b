// SPDX-License-Identifier: GPL-3.0-or-later
// What: where training text comes from: formats, bad input, ranges, several files, the cache, changes underneath.
#include "data_fixture.h"

#include <set>

using namespace qw::test;

class DataSourcesTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { QVERIFY(qw::tokenizer::Tokenizer::load(qw::test::fixtures() / "tokenizer/letters").ok()); }

    void gzipEqualsPlain() {
        const qw::test::TempDir dir;
        std::string text;
        for (int i = 0; i < 3000; ++i)
            text += "{\"text\":\"" + std::string(static_cast<size_t>(i % 40), static_cast<char>('a' + i % 26)) + "z\"}\n";
        const auto plain = build(jsonl(write(dir.path() / "a.jsonl", text)), options("greedy", "split", 64));
        const auto packed = build(jsonl(writeGzip(dir.path() / "a.json.gz", text)), options("greedy", "split", 64));
        QVERIFY(plain.ok() && packed.ok());
        QCOMPARE(packed->digest(), plain->digest());
        QCOMPARE(packed->counts().documents, int64_t{3000});
        QCOMPARE(table(*packed, 64), table(*plain, 64));
    }

    void wholeFileIsOneDocument() {
        const qw::test::TempDir dir;
        DataSource source = lines(write(dir.path() / "a.txt", "ab\ncd"));
        source.document = "file";
        QCOMPARE(firstIds(*build(source, options("none", "split", 16))), std::string("1 3 4 0 5 6 2"));
    }

    void badInput_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("format");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("says");
        const auto row = [](const char* name, const QByteArray& content, const char* format, const char* code, const char* says) {
            QTest::newRow(name) << content << QString::fromLatin1(format) << QString::fromLatin1(code) << QString::fromLatin1(says);
        };
        row("not JSON", "{\"text\":\"a\"}\nnonsense\n", "jsonl_text", "data.unreadable", "f:2: not valid JSON");
        row("no such key", "{\"body\":\"a\",\"id\":1}\n", "jsonl_text", "data.unreadable", "f:1: no key 'text' (there are: body, id)");
        row("not a text", "{\"text\":\"a\"}\n\n{\"text\":3}\n", "jsonl_text", "data.unreadable", "f:3: 'text' is not a text");
        row("a list", "[1]\n", "jsonl_text", "data.unreadable", "f:1: not a JSON object");
        row("UTF-8 in JSON", "{\"text\":\"a\"}\n{\"text\":\"\xFF\"}\n", "jsonl_text", "data.unreadable",
            "f:2: invalid UTF-8 at byte 22 of the file");
        row("UTF-8 in text", "ab\nc\xC3(d\n", "text", "data.unreadable", "f:2: invalid UTF-8 at byte 4");
        row("empty", "", "jsonl_text", "data.empty", "f has no text");
        row("blank lines", "\n\n", "jsonl_text", "data.empty", "f has no text");
        row("empty text file", "", "text", "data.empty", "f has no text");
        row("no token", "{\"text\":\"\"}\n", "jsonl_text", "data.empty", "not one usable token");
        row("unknown format", "x", "chat", "config.invalid", "'chat'");
    }

    void badInput() {
        QFETCH(QByteArray, content);
        QFETCH(QString, format);
        QFETCH(QString, code);
        QFETCH(QString, says);
        const qw::test::TempDir dir;
        DataSource source = jsonl(write(dir.path() / "f", {content.data(), static_cast<size_t>(content.size())}));
        source.format = format.toStdString();
        const auto data = build(source, options("greedy", "split", 8));
        QVERIFY(!data.ok());
        QCOMPARE(QString::fromStdString(data.error().code), code);
        QVERIFY2(data.error().message.find(says.toStdString()) != std::string::npos, data.error().message.c_str());
    }

    void badLinesBelowTheShareAreCounted() {
        const qw::test::TempDir dir;
        const auto source = jsonl(write(dir.path() / "f", "{\"text\":\"a\"}\nnonsense\n{\"text\":\"b\"}\n"));
        DataBlock block = options("none", "split", 8);
        block.maxBad = 0.34;
        std::vector<std::string> notices;
        const auto data = build(source, block, {}, [&](const qw::wire::Payload& payload) {
            if (const auto* notice = std::get_if<qw::wire::Notice>(&payload)) notices.push_back(notice->code);
        });
        QVERIFY(data.ok());
        QCOMPARE(data->counts().badLines, int64_t{1});
        QCOMPARE(data->rows(), int64_t{2});
        QCOMPARE(notices, std::vector<std::string>{"data.bad_lines"});
    }

    void missingFilesFoldersAndCutGzip() {
        const qw::test::TempDir dir;
        QCOMPARE(build(jsonl(dir.path() / "none"), options("none", "split", 8)).error().code, std::string("file.not_found"));
        QCOMPARE(build(jsonl(dir.path()), options("none", "split", 8)).error().code, std::string("data.unreadable"));
        std::string text;
        for (int i = 0; i < 5000; ++i)
            text += "{\"text\":\"" + std::string(1 + static_cast<size_t>(i * 7919 % 13), static_cast<char>('a' + i * 31 % 26)) + "\"}\n";
        const fs::path file = writeGzip(dir.path() / "a.gz", text);
        fs::resize_file(file, fs::file_size(file) / 2);
        const auto cut = build(jsonl(file), options("none", "split", 8));
        QCOMPARE(cut.error().code, std::string("data.unreadable"));
        QVERIFY(cut.error().message.find("damaged gzip") != std::string::npos);
    }

    void rangesAndSamples() {
        const qw::test::TempDir dir;
        DataSource source = lines(write(dir.path() / "a.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n"));
        DataBlock block = options("none", "split", 8);
        block.addBos = block.addEos = false;
        const auto ids = [&](double from, double to, int64_t samples) {
            source.splitRange = {from, to};
            source.maxSamples = samples;
            const auto data = build(source, block);
            std::vector<int64_t> out;
            for (int64_t r = 0; r < data->rows(); ++r) out.push_back(data->batch(std::vector{r}, 8, 1).ids[0]);
            return joined(out);
        };
        QCOMPARE(ids(0, 0.75, 0), std::string("3 4 5 6 7 8 9 10"));
        QCOMPARE(ids(0.75, 1, 0), std::string("11 12"));
        QCOMPARE(ids(0.5, 1, 2), std::string("8 9"));
        QCOMPARE(ids(0, 1, 3), std::string("3 4 5"));
        source.splitRange = {0.01, 0.02};
        source.maxSamples = 0;
        QCOMPARE(build(source, block).error().code, std::string("data.empty"));
    }

    void sourcesAreConcatenated() {
        const qw::test::TempDir dir;
        const auto a = lines(write(dir.path() / "a.txt", "a\n")), b = lines(write(dir.path() / "b.txt", "b\n"));
        const auto data = Dataset::build({b, a}, options("greedy", "split", 8), letters(), {}, {}, nullptr);
        QCOMPARE(firstIds(*data), std::string("1 4 2 1 3 2"));
    }

    void cacheIsReusedAndRebuilt() {
        const qw::test::TempDir dir;
        const fs::path cache = dir.path() / "cache";
        const fs::path text = write(dir.path() / "a.txt", "ab\ncdef\n");
        int tokenised = 0;
        const auto sink = [&](const qw::wire::Payload& payload) { tokenised += std::holds_alternative<qw::wire::Progress>(payload); };
        const auto again = [&](DataBlock block) {
            tokenised = 0;
            return build(lines(text), block, cache, sink);
        };
        const auto files = [&] { return std::distance(fs::directory_iterator(cache), {}); };
        const auto first = again(options("greedy", "split", 8));
        QVERIFY(first.ok() && tokenised > 0);
        QCOMPARE(files(), std::ptrdiff_t{1});
        const auto second = again(options("greedy", "split", 8));
        QVERIFY(second.ok() && tokenised == 0);
        QCOMPARE(second->digest(), first->digest());
        QCOMPARE(table(*second, 8), table(*first, 8));
        QVERIFY(again(options("none", "truncate", 4)).ok() && tokenised == 0); // packing is not part of it
        DataBlock noBos = options("greedy", "split", 8);
        noBos.addBos = false;
        QVERIFY(again(noBos).ok() && tokenised > 0);
        QCOMPARE(files(), std::ptrdiff_t{2});
        write(text, "ab\ncdeg\n");
        const auto changed = again(options("greedy", "split", 8));
        QVERIFY(changed.ok() && tokenised > 0);
        QVERIFY(changed->digest() != first->digest());
    }

    void damagedCacheIsRebuilt_data() {
        QTest::addColumn<int>("at"); // byte to change; below 0: cut the file there, counted from its end
        QTest::newRow("magic") << 0;
        QTest::newRow("header size") << 15;
        QTest::newRow("header") << 40;
        QTest::newRow("cut") << -3;
        QTest::newRow("cut to nothing") << -100000;
        for (int at = 100; at < 900; at += 37) QTest::addRow("byte %d", at) << at;
    }

    void damagedCacheIsRebuilt() {
        QFETCH(int, at);
        const qw::test::TempDir dir;
        const auto source = lines(write(dir.path() / "a.txt", "ab\ncdef\n" + std::string(500, 'x')));
        const auto good = build(source, options("greedy", "split", 8), dir.path() / "cache");
        const fs::path file = fs::directory_iterator(dir.path() / "cache")->path();
        if (at >= 0) {
            std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
            out.seekg(at);
            const int byte = out.get();
            out.seekp(at);
            out.put(static_cast<char>(byte ^ 0x55));
        } else {
            const auto size = static_cast<int64_t>(fs::file_size(file)) + at;
            fs::resize_file(file, static_cast<uintmax_t>(std::max<int64_t>(size, 0)));
        }
        const auto again = build(source, options("greedy", "split", 8), dir.path() / "cache");
        QVERIFY(again.ok());
        QCOMPARE(again->digest(), good->digest());
        QCOMPARE(again->counts().documents, int64_t{3});
        QCOMPARE(table(*again, 8), table(*good, 8));
    }

    void unwritableCacheCostsOnlyTime() {
        const qw::test::TempDir dir;
        const auto source = lines(write(dir.path() / "a.txt", "ab\n"));
        std::string warned;
        const auto data =
            build(source, options("none", "split", 8), write(dir.path() / "file", "x") / "cache", [&](const qw::wire::Payload& payload) {
                if (const auto* notice = std::get_if<qw::wire::Notice>(&payload)) warned = notice->message;
            });
        QVERIFY(data.ok());
        QVERIFY(warned.find("token cache was not written") != std::string::npos);
    }

    void changedSourceIsNoticed() {
        const qw::test::TempDir dir;
        const fs::path file = write(dir.path() / "a.txt", "ab\n");
        const auto data = build(lines(file), options("none", "split", 8));
        QVERIFY(data->checkUnchanged().ok());
        write(file, "abc\n");
        QCOMPARE(data->checkUnchanged().error().code, std::string("data.changed"));
        fs::remove(file);
        QCOMPARE(data->checkUnchanged().error().code, std::string("data.changed"));
    }

    void sourcesDigestFollowsContent() {
        const qw::test::TempDir dir;
        auto source = lines(write(dir.path() / "a.txt", "ab\n"));
        const auto one = qw::data::sourcesDigest({source});
        const auto copy = lines(write(dir.path() / "b.txt", "ab\n"));
        QCOMPARE(*qw::data::sourcesDigest({copy}), *one);
        source.maxSamples = 1;
        QVERIFY(*qw::data::sourcesDigest({source}) != *one);
        QVERIFY(!qw::data::sourcesDigest({lines(dir.path() / "none")}).ok());
    }

    void cancelIsPolled() {
        const qw::test::TempDir dir;
        std::string text;
        for (int i = 0; i < 2500; ++i) text += "a\n";
        qw::CancelToken cancel;
        const auto source = lines(write(dir.path() / "a.txt", text));
        QVERIFY(build(source, options("greedy", "split", 8), {}, {}, &cancel).ok());
        cancel.raise(qw::CancelLevel::Now);
        QCOMPARE(build(source, options("greedy", "split", 8), {}, {}, &cancel).error().code, std::string("engine.cancelled"));
    }
};

QTEST_GUILESS_MAIN(DataSourcesTest)
#include "tst_data_sources.moc"
