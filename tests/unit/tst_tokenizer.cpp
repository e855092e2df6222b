// SPDX-License-Identifier: GPL-3.0-or-later
// What: encoding and decoding: merges, added tokens, unknowns, decoders, long and random text.
#include "base/files.h"
#include "tokenizer/bpe_merge.h"
#include "tokenizer_files.h"

#include <ctime>
#include <random>
#include <set>

using namespace qw::test;

namespace {
double cpuSeconds(std::clock_t since) { return static_cast<double>(std::clock() - since) / CLOCKS_PER_SEC; }
} // namespace

class TokenizerTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void workedExample_data() {
        QTest::addColumn<bool>("ignoreMerges");
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("expected");
        QTest::newRow("tokenizers.md 6.1: abc abcab") << false << QByteArray("abc abcab") << QStringLiteral("[0,4,7,4,3]");
        QTest::newRow("tokenizers.md 6.1: ignore_merges") << true << QByteArray("abc abcab") << QStringLiteral("[5,7,4,3]");
        QTest::newRow("tokenizers.md 6.1: aab") << false << QByteArray("aab") << QStringLiteral("[0,3]");
        QTest::newRow("tokenizers.md 6.1: ababab") << false << QByteArray("ababab") << QStringLiteral("[3,3,3]");
    }
    void workedExample() {
        QFETCH(bool, ignoreMerges);
        QFETCH(QByteArray, text);
        QFETCH(QString, expected);
        json file = worked(ignoreMerges);
        QCOMPARE(shown(ids(file, text.toStdString())), expected);
        file["model"]["merges"] = json::parse("[[\"b\",\"c\"],[\"a\",\"b\"],[\"\u0120\",\"a\"],[\"ab\",\"c\"]]"); // pairs instead of lines
        QCOMPARE(shown(ids(file, text.toStdString())), expected);
        file["model"].erase("type"); // old files
        QCOMPARE(shown(ids(file, text.toStdString())), expected);
    }
    void repeatedPairKeepsTheLaterRank() {
        json file = worked(false);
        file["model"]["merges"] = {"b c", "a b", "b c"}; // b c is now last
        QCOMPARE(shown(ids(file, "abc")), QStringLiteral("[3,2]"));
    }
    void shortAndLongPiecesMergeAlike() {
        // Random merges over 6 symbols; a long piece goes through the heap, its parts through the scan. A cut never matters between
        // symbols that no merge joins (here 5 and anything).
        std::mt19937 random(1);
        qw::tokenizer::MergeTable merges;
        merges.reserve(400);
        for (uint32_t rank = 0; rank < 200; ++rank) {
            const auto left = static_cast<int32_t>(random() % 40), right = static_cast<int32_t>(random() % 40);
            if (left != 5 && right != 5) merges.set(left, right, {rank, static_cast<int32_t>(6 + random() % 34)});
        }
        for (int round = 0; round < 200; ++round) {
            Ids whole, parts;
            for (int word = 0; word < 20; ++word) {
                Ids piece;
                for (size_t n = random() % 20; n > 0; --n) piece.push_back(static_cast<int32_t>(random() % 5));
                whole.insert(whole.end(), piece.begin(), piece.end());
                whole.push_back(5);
                qw::tokenizer::mergeAll(piece, merges);
                parts.insert(parts.end(), piece.begin(), piece.end());
                parts.push_back(5);
            }
            qw::tokenizer::mergeAll(whole, merges);
            QCOMPARE(shown(whole), shown(parts));
        }
    }
    void goldenOfStories260k() {
        QW_NEEDS_REFERENCE_DATA();
        const auto folder = referenceData() / "stories260K";
        const auto tokenizer = Tokenizer::load(folder);
        QVERIFY(tokenizer.ok());
        const json golden = json::parse(*qw::readFile(folder / "golden.json"))["tokenizer"];
        QCOMPARE(golden.size(), size_t{8});
        for (const json& row : golden) {
            const std::string text = row["text"];
            const Ids withBos = row["ids_hf_bos"];
            QCOMPARE(shown(tokenizer->encode(text, {true, true}).ids), shown(withBos));
            QCOMPARE(shown(tokenizer->encode(text, {false, true}).ids), shown(row["ids_hf"]));
            QCOMPARE(tokenizer->decode(withBos), row["decoded_hf"].get<std::string>());
        }
        QVERIFY(tokenizer->addsBos());
        QCOMPARE(*tokenizer->specials().bos, 1);
        QCOMPARE(shown(tokenizer->specials().eos), QStringLiteral("[2]"));
        QCOMPARE(tokenizer->vocabSize(), int64_t{512});
    }

    void addedTokens_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("expected");
        // bytes() has ids 0-255; <x> 256, <x><y 257, ww 258 (single_word), <l> 259 (lstrip), <r> 260 (rstrip).
        const auto row = [](const char* text, const char* expected) {
            QTest::newRow(text) << QByteArray(text) << QString::fromLatin1(expected);
        };
        row("<x>", "[256]");
        row("a<x>b", "[97,256,98]");
        row("<x><x>", "[256,256]");
        row("<x><y", "[257]"); // longest at equal start
        row("ww", "[258]");
        row("a ww.", "[97,32,258,46]");
        row("aww", "[97,119,119]");
        row("ww\u0301", "[119,119,204,129]"); // tokenizers.md 7.1 corner 1: a mark is a word character
        row("ww\u200d", "[119,119,226,128,141]");
        row("ww\u203f", "[119,119,226,128,191]");
        row("\u24b6ww", "[226,146,182,119,119]");
        row("ww\u00b2", "[258,194,178]");
        row("a \u00a0\u3000\u0085<l>b", "[97,259,98]"); // corner 2
        row("a\u200b<l>", "[97,226,128,139,259]");
        row("a\x1c<l>", "[97,28,259]");
        row("<r> \n b", "[260,98]");
        row("<r> <l>", "[260,259]");
    }
    void addedTokens() {
        QFETCH(QByteArray, text);
        QFETCH(QString, expected);
        json file = bytes();
        file["added_tokens"] = {added("<x>", {"special"}), added("<x><y", {}), added("ww", {"single_word"}), added("<l>", {"lstrip"}),
                                added("<r>", {"rstrip"})};
        QCOMPARE(shown(ids(file, text.toStdString())), expected);
    }
    void specialsInTextOnlyWhenAsked() {
        json file = bytes();
        file["added_tokens"] = {added("<x>", {"special"}), added("<y>", {})};
        QCOMPARE(shown(ids(file, "<x><y>", false)), QStringLiteral("[60,120,62,257]"));
        const auto tokenizer = load(file);
        QCOMPARE(tokenizer->decode(Ids{256, 97, 257}, true), std::string("a<y>"));
        QCOMPARE(tokenizer->decode(Ids{256, 97, 257}, false), std::string("<x>a<y>"));
    }
    void encodingPartsEqualsEncodingTheWhole() { // tokenizers.md 12.5
        json file = bytes();
        file["added_tokens"] = {added("<x>", {"special"})};
        const auto tokenizer = load(file);
        const auto encode = [&](const std::string& text) { return tokenizer->encode(text, {true, true}).ids; };
        for (const auto& [a, b] : {std::pair{"one two", " three"}, std::pair{"", "x"}, std::pair{"\u00e9 ", ""}}) {
            Ids expected = encode(a);
            expected.push_back(256);
            for (const int32_t id : encode(b)) expected.push_back(id);
            QCOMPARE(shown(encode(std::string(a) + "<x>" + b)), shown(expected));
        }
    }
    void normalizedTokensAndPrependPerSegment() {
        json file{
            {"normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "Prepend"}, {"prepend", "_"}}, {{"type", "Lowercase"}}}}}},
            {"added_tokens", {added("<x>", {"special"}), added("B", {"normalized"})}},
            {"model", {{"vocab", {{"_", 0}, {"a", 1}, {"b", 2}, {"_a", 3}}}, {"merges", {"_ a"}}}}};
        QCOMPARE(shown(ids(file, "A<x>aa")), QStringLiteral("[3,4,3,1]"));
        QCOMPARE(shown(ids(file, "Ba")), QStringLiteral("[5,1]")); // B is looked for as "_b" in "_ba"
        QCOMPARE(shown(ids(file, "")), QStringLiteral("[]"));
    }
    void idsOfAddedTokensMustAgree() {
        json file = worked(false);
        file["added_tokens"] = {added("<x>", {}), added("<y>", {})};
        file["added_tokens"][0]["id"] = 8;
        file["added_tokens"][1]["id"] = 9;
        QVERIFY(load(file).ok());
        QCOMPARE(load(file)->vocabSize(), int64_t{10});
        file["added_tokens"][1]["id"] = 12;
        const auto refused = load(file);
        QCOMPARE(refused.error().code, std::string("file.corrupt"));
        QVERIFY(refused.error().message.find("'<y>' says id 12, tokenizers gives it 9") != std::string::npos);
    }

    void unknownsAndFallback_data() {
        QTest::addColumn<bool>("fallback");
        QTest::addColumn<bool>("fuse");
        QTest::addColumn<bool>("unk");
        QTest::addColumn<QString>("expected");
        QTest::addColumn<int>("dropped");
        // "aééa€b" over a, b, <unk> and the two bytes of é: with fallback € alone is unknown.
        QTest::newRow("fallback") << true << true << true << QStringLiteral("[0,3,4,3,4,0,2,1]") << 0;
        QTest::newRow("no fallback, fused") << false << true << true << QStringLiteral("[0,2,0,2,1]") << 0;
        QTest::newRow("no fallback, one by one") << false << false << true << QStringLiteral("[0,2,2,0,2,1]") << 0;
        QTest::newRow("no unk token: dropped") << false << false << false << QStringLiteral("[0,0,1]") << 3;
    }
    void unknownsAndFallback() {
        QFETCH(bool, fallback);
        QFETCH(bool, fuse);
        QFETCH(bool, unk);
        QFETCH(QString, expected);
        QFETCH(int, dropped);
        json file{{"model",
                   {{"type", "BPE"},
                    {"byte_fallback", fallback},
                    {"fuse_unk", fuse},
                    {"merges", json::array()},
                    {"vocab", {{"a", 0}, {"b", 1}, {"<unk>", 2}, {"<0xC3>", 3}, {"<0xA9>", 4}}}}}};
        if (unk) file["model"]["unk_token"] = "<unk>";
        const auto encoded = load(file)->encode("a\u00e9\u00e9a\u20acb");
        QCOMPARE(shown(encoded.ids), expected);
        QCOMPARE(encoded.dropped, int64_t{dropped});
    }
    void byteTokensOvertakeAPendingUnknown() { // tokenizers.md 7.1 corner 5
        const json file{{"model",
                         {{"byte_fallback", true},
                          {"unk_token", "<unk>"},
                          {"merges", json::array()},
                          {"vocab", {{"a", 0}, {"<unk>", 1}, {"<0xC3>", 2}, {"<0xA9>", 3}}}}}};
        QCOMPARE(shown(ids(file, "\u20ac\u00e9a")), QStringLiteral("[2,3,1,0]"));
    }
    void missingUnkTokenIsSaidWhenItIsNeeded() {
        const json file{{"model", {{"unk_token", "<unk>"}, {"merges", json::array()}, {"vocab", {{"a", 0}}}}}};
        const auto tokenizer = load(file);
        QCOMPARE(shown(tokenizer->encode("aa").ids), QStringLiteral("[0,0]"));
        const auto encoded = tokenizer->encode("ab");
        QVERIFY(encoded.ids.empty() && encoded.failure.find("<unk>") != std::string::npos);
    }
    void invalidUtf8IsReplacedAndCounted() {
        const auto encoded = load(bytes())->encode("a\xFF\xC3z");
        QCOMPARE(shown(encoded.ids), QStringLiteral("[97,239,191,189,239,191,189,122]"));
        QCOMPARE(encoded.replaced, int64_t{2});
    }

    void decoders_data() {
        QTest::addColumn<QByteArray>("decoder");
        QTest::addColumn<QByteArray>("tokens"); // JSON list
        QTest::addColumn<QByteArray>("text");
        const auto row = [](const char* name, const json& decoder, const json& tokens, const char* text) {
            QTest::newRow(name) << QByteArray::fromStdString(decoder.dump()) << QByteArray::fromStdString(tokens.dump())
                                << QByteArray(text);
        };
        const json fallback{{"type", "ByteFallback"}};
        row("none: spaces", nullptr, {"a", "b"}, "a b");
        row("ByteLevel", {{"type", "ByteLevel"}}, {"\u0120a", "\u00c3", "\u00a9"}, " a\u00e9");
        row("ByteLevel, invalid", {{"type", "ByteLevel"}}, {"\u00c3", "a"}, "\uFFFDa");
        row("ByteLevel per token (corner 3)", {{"type", "ByteLevel"}}, {"\u00e9\u4f60", "\u00e9a"}, "\u00e9\u4f60\uFFFDa");
        row("ByteFallback", fallback, {"a", "<0xC3>", "<0xA9>", "b"}, "a\u00e9b");
        row("ByteFallback, invalid: one each", fallback, {"<0xE2>", "<0x82>", "b"}, "\uFFFD\uFFFDb");
        row("ByteFallback, no byte", fallback, {"<0xZZ>", "<0x4>"}, "<0xZZ><0x4>");
        row("Metaspace", {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "always"}}, {"\u2581a", "\u2581b"}, "a b");
        row("Metaspace never", {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "never"}}, {"\u2581a", "\u2581b"},
            " a b");
        row("Strip", {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 1}}, {"  a ", "b"}, " ab");
        row("BPEDecoder (corner 7)", {{"type", "BPEDecoder"}, {"suffix", "</w>"}}, {"a</w>", "b", "c</w>"}, "a bc");
        row("Llama-2",
            {{"type", "Sequence"},
             {"decoders",
              {{{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}},
               fallback,
               {{"type", "Fuse"}},
               {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}},
            {"\u2581\u2581a", "<0xC3>", "<0xA9>"}, " a\u00e9");
    }
    void decoders() {
        QFETCH(QByteArray, decoder);
        QFETCH(QByteArray, tokens);
        QFETCH(QByteArray, text);
        json vocab = json::object();
        Ids all;
        for (const json& token : json::parse(tokens.toStdString())) {
            if (!vocab.contains(token.get<std::string>())) vocab[token.get<std::string>()] = vocab.size();
            all.push_back(vocab[token.get<std::string>()]);
        }
        const auto tokenizer =
            load({{"decoder", json::parse(decoder.toStdString())}, {"model", {{"vocab", vocab}, {"merges", json::array()}}}});
        QVERIFY2(tokenizer.ok(), tokenizer ? "" : tokenizer.error().message.c_str());
        QCOMPARE(QByteArray::fromStdString(tokenizer->decode(all)), text);
        all.push_back(9999); // ids that do not exist are dropped
        QCOMPARE(QByteArray::fromStdString(tokenizer->decode(all)), text);
    }
    void roundTripOfRandomText() {
        const auto tokenizer = load(bytes());
        std::mt19937 random(3);
        for (int round = 0; round < 300; ++round) {
            std::string text;
            for (size_t n = random() % 50; n > 0; --n) {
                char32_t c = random() % (round % 3 ? 0x250 : 0x10FFFF);
                if (c >= 0xD800 && c < 0xE000) c = 'x';
                text += QString::fromUcs4(&c, 1).toStdString();
            }
            QCOMPARE(QByteArray::fromStdString(tokenizer->decode(tokenizer->encode(text).ids)), QByteArray::fromStdString(text));
        }
    }
    void randomBytesNeverCrashTheEncoder() {
        const auto tokenizer = load(bytes());
        std::mt19937 random(6);
        for (int round = 0; round < 500; ++round) {
            std::string text;
            for (size_t n = random() % 300; n > 0; --n) text += static_cast<char>(random());
            const auto encoded = tokenizer->encode(text);
            QVERIFY(encoded.failure.empty());
            const std::string repaired = tokenizer->decode(encoded.ids);
            QCOMPARE(repaired == text, encoded.replaced == 0);
            QCOMPARE(tokenizer->encode(repaired).replaced, int64_t{0});
            QCOMPARE(shown(tokenizer->encode(repaired).ids), shown(encoded.ids));
        }
    }
    void oneMegabyteRuns_data() {
        QTest::addColumn<bool>("metaspace");
        QTest::addColumn<char>("letter");
        QTest::newRow("byte-level, one letter") << false << 'a';
        QTest::newRow("byte-level, spaces") << false << ' ';
        QTest::newRow("metaspace, one letter") << true << 'a';
        QTest::newRow("metaspace, spaces") << true << ' ';
    }
    void oneMegabyteRuns() {
        QFETCH(bool, metaspace);
        QFETCH(char, letter);
        json file = bytes();
        const std::string space = metaspace ? "\u2581" : "\u0120";
        json vocab = file["model"]["vocab"];
        if (metaspace) {
            vocab[space] = vocab.size();
            file.erase("pre_tokenizer");
            file["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", space}};
        }
        json merges = json::array();
        for (const std::string& unit : {std::string("a"), space}) { // doubling merges: every one of them takes part
            std::string run = unit;
            for (int i = 0; i < 6; ++i) {
                merges.push_back(json::array({run, run}));
                run += run;
                vocab[run] = vocab.size();
            }
        }
        file["model"]["vocab"] = vocab;
        file["model"]["merges"] = merges;
        const auto tokenizer = load(file);
        QVERIFY2(tokenizer.ok(), tokenizer ? "" : tokenizer.error().message.c_str());
        const std::string text(size_t{1} << 20, letter);
        const std::clock_t start = std::clock();
        const auto encoded = tokenizer->encode(text);
        QVERIFY2(cpuSeconds(start) < 2, qPrintable(QString::number(cpuSeconds(start))));
        QCOMPARE(encoded.ids.size(), size_t{1} << 14); // 64 characters a token
        QCOMPARE(std::set<int32_t>(encoded.ids.begin(), encoded.ids.end()).size(), size_t{1});
    }
};

QTEST_GUILESS_MAIN(TokenizerTest)
#include "tst_tokenizer.moc"
