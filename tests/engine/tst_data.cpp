// SPDX-License-Identifier: GPL-3.0-or-later
// What: documents packed into rows, and the order of rows.
#include "data/packing.h"
#include "data/permutation.h"
#include "data_fixture.h"

#include <set>

using namespace qw::test;

class DataTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { QVERIFY(qw::tokenizer::Tokenizer::load(qw::test::fixtures() / "tokenizer/letters").ok()); }

    void packing_data() {
        QTest::addColumn<QString>("packing");
        QTest::addColumn<QString>("excess");
        QTest::addColumn<int>("seqLen");
        QTest::addColumn<QString>("rows");
        const auto row = [](const char* name, const char* packing, const char* excess, int seqLen, const char* rows) {
            QTest::newRow(name) << QString::fromLatin1(packing) << QString::fromLatin1(excess) << seqLen << QString::fromLatin1(rows);
        };
        // Documents by hand: "ab" = 1 3 4 2, "cdef" = 1 5 6 7 8 2, "g" = 1 9 2.
        row("greedy split: cut anywhere, the last label reaches into the next row", "greedy", "split", 5,
            "1 3 4 2 1|3 4 2 - 5|0 4; 5 6 7 8 2|6 7 8 2 -|0; 1 9 2|9 2 -|0");
        row("greedy truncate: seq_len - 1 tokens, no EOS", "greedy", "truncate", 5, "1 3 4 2|3 4 2 -|0; 1 5 6 7|5 6 7 -|0; 1 9 2|9 2 -|0");
        row("greedy drop", "greedy", "drop", 5, "1 3 4 2|3 4 2 -|0; 1 9 2|9 2 -|0");
        row("greedy drop: a document moves whole", "greedy", "drop", 7, "1 3 4 2|3 4 2 -|0; 1 5 6 7 8 2|5 6 7 8 2 -|0; 1 9 2|9 2 -|0");
        row("greedy error: all fit", "greedy", "error", 10, "1 3 4 2 1 5 6 7 8 2|3 4 2 - 5 6 7 8 2 -|0 4; 1 9 2|9 2 -|0");
        row("none split: the rest is a row of its own", "none", "split", 5,
            "1 3 4 2|3 4 2 -|0; 1 5 6 7 8|5 6 7 8 2|0; 2|-|0; 1 9 2|9 2 -|0");
        row("none truncate", "none", "truncate", 4, "1 3 4|3 4 -|0; 1 5 6|5 6 -|0; 1 9 2|9 2 -|0");
        row("bfd: longest first, into the fullest row that has room", "bfd", "split", 8,
            "1 5 6 7 8 2|5 6 7 8 2 -|0; 1 3 4 2 1 9 2|3 4 2 - 9 2 -|0 4");
        row("bfd drop", "bfd", "drop", 5, "1 3 4 2|3 4 2 -|0; 1 9 2|9 2 -|0");
    }
    void packing() {
        QFETCH(QString, packing);
        QFETCH(QString, excess);
        QFETCH(int, seqLen);
        QFETCH(QString, rows);
        const qw::test::TempDir dir;
        const auto data =
            build(lines(write(dir.path() / "a.txt", "ab\ncdef\ng\n")), options(qPrintable(packing), qPrintable(excess), seqLen));
        QVERIFY2(data.ok(), data ? "" : data.error().message.c_str());
        QCOMPARE(QString::fromStdString(table(*data, seqLen)), rows);
    }
    void countsOfExcess() {
        const qw::test::TempDir dir;
        const auto file = write(dir.path() / "a.txt", "ab\ncdef\n\n  \ng!\n");
        const auto dropped = build(lines(file), options("greedy", "drop", 5));
        QCOMPARE(dropped->counts().dropped, int64_t{1});
        QCOMPARE(dropped->counts().documents, int64_t{3});
        QCOMPARE(dropped->counts().tokens, int64_t{8});
        QCOMPARE(dropped->counts().unknownTokens, int64_t{1});
        QCOMPARE(build(lines(file), options("greedy", "truncate", 5))->counts().truncated, int64_t{1});
        const auto refused = build(lines(file), options("none", "error", 5));
        QCOMPARE(refused.error().code, std::string("config.conflict"));
        QVERIFY(refused.error().message.find("document 1 of " + file.string() + " has 6 tokens") != std::string::npos);
    }
    void bestFitClosesARowAt200Documents() {
        std::vector<uint64_t> offsets;
        for (uint64_t i = 0; i <= 450; ++i) offsets.push_back(i);
        const auto packed = qw::data::pack(offsets, {"bfd", "split", 1000, 100000});
        QCOMPARE(joined(packed.rowStart), std::string("0 200 400 450"));
    }
    void windowsArePackedOneByOne() {
        const std::vector<uint64_t> offsets{0, 3, 6, 7, 8};
        QCOMPARE(joined(qw::data::pack(offsets, {"bfd", "split", 4, 2}).rowStart), std::string("0 1 2 4"));
        QCOMPARE(joined(qw::data::pack(offsets, {"bfd", "split", 4, 4}).rowStart), std::string("0 2 4"));
    }

    void paddingAndDocumentMask() {
        const qw::test::TempDir dir;
        const auto file = lines(write(dir.path() / "a.txt", "ab\ncdef\ng\n"));
        DataBlock block = options("none", "split", 16);
        const auto data = build(file, block);
        const auto batch = data->batch(std::vector<int64_t>{2, 0}, 16, 8);
        QCOMPARE(batch.length, int64_t{8});
        QCOMPARE(joined(batch.ids), std::string("1 9 2 2 2 2 2 2 1 3 4 2 2 2 2 2")); // no pad token: EOS pads
        QCOMPARE(joined(batch.labels), std::string("9 2 - - - - - - 3 4 2 - - - - -"));
        QCOMPARE(joined(batch.starts[0]), std::string("0 3"));
        QCOMPARE(batch.validLabels, int64_t{5});
        QCOMPARE(batch.tokens, int64_t{7});
        QCOMPARE(data->batch(std::vector<int64_t>{1}, 7, 8).length, int64_t{7}); // never beyond seq_len
        block.documentMask = false;
        const auto plain = build(file, block);
        QCOMPARE(joined(plain->batch(std::vector<int64_t>{0}, 16, 8).starts[0]), std::string("0"));
        QVERIFY(plain->digest() != data->digest());
    }
    void bosAndEosAreOptional() {
        const qw::test::TempDir dir;
        const auto file = lines(write(dir.path() / "a.txt", "ab\n"));
        DataBlock block = options("none", "split", 16);
        block.addBos = false;
        QCOMPARE(firstIds(*build(file, block)), std::string("3 4 2"));
        block.addEos = false;
        QCOMPARE(firstIds(*build(file, block)), std::string("3 4"));
    }
    void specialsInTextAreTextUnlessAsked() {
        const qw::test::TempDir dir;
        const auto file = lines(write(dir.path() / "a.txt", "a</s>b\n"));
        DataBlock block = options("none", "split", 16);
        QCOMPARE(firstIds(*build(file, block)), std::string("1 3 0 0 21 0 4 2"));
        block.matchSpecials = true;
        QCOMPARE(firstIds(*build(file, block)), std::string("1 3 2 4 2"));
    }

    void permutationIsABijection() {
        for (const int64_t n : {1, 2, 3, 5, 16, 17, 1000, 4097}) {
            std::set<int64_t> seen;
            for (int64_t i = 0; i < n; ++i) {
                const int64_t p = qw::data::permute(7, 0, n, i);
                QVERIFY(p >= 0 && p < n);
                seen.insert(p);
            }
            QCOMPARE(static_cast<int64_t>(seen.size()), n);
        }
    }
    void permutationDependsOnSeedAndEpoch() {
        const auto order = [](uint64_t seed, int64_t epoch) {
            std::vector<int64_t> out;
            for (int64_t i = 0; i < 1000; ++i) out.push_back(qw::data::permute(seed, epoch, 1000, i));
            return out;
        };
        const auto first = order(42, 0);
        QCOMPARE(order(42, 0), first);
        for (const auto& other : {order(42, 1), order(43, 0)}) {
            int same = 0;
            for (size_t i = 0; i < 1000; ++i) same += first[i] == other[i];
            QVERIFY2(same < 12, qPrintable(QString::number(same))); // 1 is expected of independent orders
        }
        int64_t moved = 0;
        for (size_t i = 0; i < 1000; ++i) moved += std::abs(first[i] - static_cast<int64_t>(i));
        QVERIFY(moved > 250'000 && moved < 420'000); // a random order moves n/3 on average
    }
};

QTEST_GUILESS_MAIN(DataTest)
#include "tst_data.moc"
