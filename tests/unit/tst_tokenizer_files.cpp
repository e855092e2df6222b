// SPDX-License-Identifier: GPL-3.0-or-later
// What: a tokenizer's files: post-processor, special ids, GPT-2's pair, refusals and hostile input.
#include "tokenizer_files.h"

#include <random>

using namespace qw::test;

class TokenizerFilesTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void postProcessorAndBosTruth() {
        json file = worked(false);
        file["added_tokens"] = {added("<s>", {"special"}), added("</s>", {"special"})};
        const json config{{"bos_token", "<s>"}, {"eos_token", {{"content", "</s>"}}}, {"pad_token", nullptr}, {"add_bos_token", true}};
        const auto without = load(file, config);
        QVERIFY(!without->addsBos());
        QCOMPARE(shown(without->encode("a").ids), QStringLiteral("[0]"));
        QCOMPARE(without->report().warnings.size(), size_t{1});
        QVERIFY(without->report().warnings[0].find("add_bos_token true") != std::string::npos);
        file["post_processor"] = {{"type", "Sequence"},
                                  {"processors",
                                   {{{"type", "ByteLevel"}, {"trim_offsets", false}},
                                    {{"type", "TemplateProcessing"},
                                     {"single",
                                      {{{"SpecialToken", {{"id", "B"}, {"type_id", 0}}}},
                                       {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
                                       {{"SpecialToken", {{"id", "E"}, {"type_id", 0}}}}}},
                                     {"pair", json::array()},
                                     {"special_tokens",
                                      {{"B", {{"id", "B"}, {"ids", {8, 0}}, {"tokens", {"<s>", "a"}}}},
                                       {"E", {{"id", "E"}, {"ids", {9}}, {"tokens", {"</s>"}}}}}}}}}};
        const auto with = load(file, config);
        QVERIFY2(with.ok(), with ? "" : with.error().message.c_str());
        QVERIFY(with->addsBos());
        QCOMPARE(shown(with->encode("a").ids), QStringLiteral("[8,0,0,9]"));
        QCOMPARE(shown(with->encode("a", {false, false}).ids), QStringLiteral("[0]"));
        QCOMPARE(shown(with->encode("").ids), QStringLiteral("[8,0,9]"));
        QVERIFY(with->report().warnings.empty());
    }
    void specialsFromAllFiles() {
        json file = worked(false);
        const auto none = load(file);
        QVERIFY(!none->specials().bos && none->specials().eos.empty());
        const auto tokenizer = load(file, {{"eos_token", "abc"}, {"pad_token", {{"content", "bc"}}}, {"model_max_length", 1e30}},
                                    {{"eos_token_id", {4, 5, 77}}, {"bos_token_id", 1}}, {{"unk_token", "c"}, {"eos_token", "ab"}});
        const auto& ids = tokenizer->specials();
        QCOMPARE(shown(ids.eos), QStringLiteral("[5,3,4]"));
        QCOMPARE(*ids.bos, 1);
        QCOMPARE(*ids.pad, 4);
        QCOMPARE(*ids.unk, 2);
        QCOMPARE(tokenizer->report().warnings.size(), size_t{1}); // id 77
        QVERIFY(tokenizer->digest() != none->digest());
        QCOMPARE(load(file, "x").error().code, std::string("file.corrupt"));
    }
    void gpt2FilePair() {
        const TempDir dir;
        QCOMPARE(Tokenizer::load(dir.path()).error().code, std::string("file.not_found"));
        writeText(dir.path() / "tokenizer.model", "x");
        QCOMPARE(Tokenizer::load(dir.path()).error().code, std::string("tokenizer.unsupported"));
        writeText(dir.path() / "vocab.json", worked(false)["model"]["vocab"].dump());
        writeText(dir.path() / "merges.txt", "#version: 0.2\nb c\r\na b\n\u0120 a\nab c\n");
        QCOMPARE(shown(Tokenizer::load(dir.path())->encode("abc abcab").ids), QStringLiteral("[0,4,7,4,3]"));
        writeText(dir.path() / "merges.txt", "b c\na b c\n");
        const auto broken = Tokenizer::load(dir.path());
        QVERIFY(broken.error().message.find("merges.txt:2") != std::string::npos);
    }

    void refusals_data() {
        QTest::addColumn<QByteArray>("pointer");
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("says");
        const auto row = [](const char* name, const char* pointer, const json& value, const char* code, const char* says) {
            QTest::newRow(name) << QByteArray(pointer) << QByteArray::fromStdString(value.dump()) << QString::fromLatin1(code)
                                << QString::fromLatin1(says);
        };
        const char* no = "tokenizer.unsupported";
        const char* bad = "file.corrupt";
        row("version", "/version", "2.0", no, "version '2.0'");
        row("Precompiled", "/normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", ""}}, no,
            "normalizer.type: value 'Precompiled'");
        row("inside a sequence", "/normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}, {{"type", "Nmt"}}}}}, no,
            "normalizer.normalizers[1].type: value 'Nmt'");
        row("Bert", "/pre_tokenizer", {{"type", "BertPreTokenizer"}}, no, "'BertPreTokenizer'");
        row("UnicodeScripts", "/pre_tokenizer", {{"type", "UnicodeScripts"}}, no, "'UnicodeScripts'");
        row("behaviour", "/pre_tokenizer", {{"type", "Split"}, {"pattern", {{"String", "x"}}}, {"behavior", "Sideways"}}, no,
            "behavior: value 'Sideways'");
        row("scheme", "/pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "maybe"}}, no,
            "prepend_scheme: value 'maybe'");
        row("old flag", "/pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "_"}, {"add_prefix_space", false}}, no,
            "add_prefix_space");
        row("regex", "/pre_tokenizer", {{"type", "Split"}, {"pattern", {{"Regex", "\\h"}}}, {"behavior", "Isolated"}}, no, "\\h");
        row("empty pattern", "/normalizer", {{"type", "Replace"}, {"pattern", {{"String", ""}}}, {"content", "x"}}, no, "empty pattern");
        row("Unigram", "/model", {{"type", "Unigram"}, {"vocab", json::array()}}, no, "'Unigram'");
        row("WordPiece", "/model", {{"type", "WordPiece"}, {"vocab", json::object()}}, no, "'WordPiece'");
        row("old Unigram", "/model", {{"vocab", {{"a", -1.0}}}}, no, "'Unigram'");
        row("CTC", "/decoder", {{"type", "CTC"}}, no, "decoder.type: value 'CTC'");
        row("Roberta", "/post_processor", {{"type", "RobertaProcessing"}}, no, "'RobertaProcessing'");
        row("merge of unknown", "/model/merges/0", "b q", bad, "needs 'q'");
        row("merge without result", "/model/merges/0", "c c", bad, "needs 'cc'");
        row("merge of three", "/model/merges/0", "a b c", bad, "merges[0]");
        row("merge is a number", "/model/merges/0", 3, bad, "merges[0]");
        row("two tokens, one id", "/model/vocab/a", 1, bad, "share the id 1");
        row("negative id", "/model/vocab/a", -1, bad, "'a' has no valid id");
        row("huge id", "/model/vocab/a", int64_t{1} << 31, bad, "'a' has no valid id");
        row("id is text", "/model/vocab/a", "0", bad, "'a' has no valid id");
        row("flag is a number", "/model/ignore_merges", 1, bad, "model.ignore_merges: true or false");
        row("no model", "/model", nullptr, bad, "'model' is missing");
        row("component is a text", "/decoder", "ByteLevel", bad, "decoder: an object");
        row("template id", "/post_processor",
            {{"type", "TemplateProcessing"}, {"single", {{{"SpecialToken", {{"id", "B"}}}}}}, {"special_tokens", {{"B", {{"ids", {99}}}}}}},
            bad, "id 99");
        row("template name", "/post_processor",
            {{"type", "TemplateProcessing"}, {"single", {{{"SpecialToken", {{"id", "B"}}}}}}, {"special_tokens", json::object()}}, bad,
            "'B' is missing");
    }
    void refusals() {
        QFETCH(QByteArray, pointer);
        QFETCH(QByteArray, value);
        QFETCH(QString, code);
        QFETCH(QString, says);
        json file = worked(false);
        file[json::json_pointer(pointer.toStdString())] = json::parse(value.toStdString());
        const auto made = load(file);
        QVERIFY(!made.ok());
        QCOMPARE(QString::fromStdString(made.error().code), code);
        QVERIFY2(made.error().message.find(says.toStdString()) != std::string::npos, made.error().message.c_str());
        QVERIFY2(made.error().message.find("tokenizer.json") != std::string::npos, made.error().message.c_str());
    }
    void gpt2VocabularyIsOneJsonValue() { // it cannot bring in other parts of a pipeline
        const TempDir dir;
        writeText(dir.path() / "merges.txt", "");
        for (const char* vocab : {R"({"a":0},"unk_token":"a")", R"({"a":0}},"normalizer":{"type":"NFC"},"x":{)", "{", "[]", ""}) {
            writeText(dir.path() / "vocab.json", vocab);
            const auto made = Tokenizer::load(dir.path());
            QVERIFY2(!made.ok(), vocab);
            QVERIFY2(made.error().message.find("vocab.json") != std::string::npos, made.error().message.c_str());
        }
    }
    void hostileNesting() {
        const auto made = load(json(std::string(2'000'000, '[')));
        QCOMPARE(made.error().code, std::string("file.corrupt"));
        QVERIFY(made.error().message.find("64 levels") != std::string::npos);
    }
    void damagedFilesNeverCrash() {
        json file = worked(true);
        file["normalizer"] = {{"type", "Replace"}, {"pattern", {{"Regex", "a+|(b)"}}}, {"content", "c"}};
        file["added_tokens"] = {added("<s>", {"special", "lstrip"})};
        const std::string good = file.dump();
        std::mt19937 random(5);
        int loaded = 0;
        for (int round = 0; round < 600; ++round) {
            std::string text = good;
            for (size_t n = 1 + random() % 3; n > 0; --n) {
                const size_t at = random() % text.size();
                if (random() % 4 == 0)
                    text.erase(at, random() % 20);
                else
                    text[at] = static_cast<char>(random() % (random() % 2 ? 256 : 128));
            }
            const auto made = load(json(text));
            if (!made) {
                QVERIFY(made.error().code == "file.corrupt" || made.error().code == "tokenizer.unsupported");
                continue;
            }
            ++loaded;
            (void)made->decode(made->encode("abc abcab <s> \u00e9").ids);
        }
        QVERIFY(loaded > 20);
    }
};

QTEST_GUILESS_MAIN(TokenizerFilesTest)
#include "tst_tokenizer_files.moc"
