// SPDX-License-Identifier: GPL-3.0-or-later
// What: the published split patterns on the fixtures of tokenizers.md 11, the dialect rules of its section 8, behaviours of Split.
#include "test_data.h"

#include "base/files.h"
#include "base/utf8.h"
#include "tokenizer/alphabet.h"
#include "tokenizer/pre_tokenizers.h"

#include <ctime>
#include <nlohmann/json.hpp>
#include <sstream>

using nlohmann::json;
using namespace qw::tokenizer;

namespace {

using Steps = std::vector<PreTokenizerStep>;
using Words = std::vector<std::string>;

std::string pattern(const std::string& name) {
    static const json all = json::parse(*qw::readFile(qw::test::fixtures() / "tokenizer/patterns.json"));
    return all.at(name);
}

PreTokenizerStep split(const std::string& text, bool regex = true, Behavior behavior = Behavior::Isolated, bool invert = false) {
    PreTokenizerStep step{};
    step.kind = PreTokenizerStep::Kind::Split;
    step.pattern = {regex, text};
    step.behavior = behavior;
    step.invert = invert;
    return step;
}
PreTokenizerStep plain(PreTokenizerStep::Kind kind, Behavior behavior = Behavior::Isolated) {
    PreTokenizerStep step{};
    step.kind = kind;
    step.behavior = behavior;
    return step;
}

Words cut(const Steps& steps, const std::string& text, bool rawBytes = true) {
    std::vector<std::string> warnings;
    const auto made = PreTokenizer::make(steps, warnings);
    if (!made) return {"error: " + made.error().message};
    Pieces pieces;
    pieces.text = text;
    pieces.startsText = true;
    std::string failure;
    if (!made->run(pieces, rawBytes, failure)) return {"failure: " + failure};
    Words out;
    for (const Span& span : pieces.spans) out.push_back(pieces.text.substr(span.begin, span.end - span.begin));
    return out;
}

// Qwen2 is the Llama-3 list with every piece of several numbers cut into single ones.
Words cutNumbers(const Words& words) {
    Words out;
    for (const std::string& word : words) {
        size_t i = 0;
        const bool number = isNumeric(qw::nextCodePoint(word, i));
        for (size_t from = 0; number && from < word.size(); from = i) {
            i = from;
            (void)qw::nextCodePoint(word, i);
            out.push_back(word.substr(from, i - from));
        }
        if (!number) out.push_back(word);
    }
    return out;
}

QString shown(const Words& words) { return QString::fromStdString(json(words).dump(-1, ' ', true, json::error_handler_t::replace)); }

} // namespace

class SplitsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void fixtures_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("pieces");
        std::istringstream file(*qw::readFile(qw::test::fixtures() / "tokenizer/splits.jsonl"));
        for (std::string line; std::getline(file, line);) {
            const json row = json::parse(line);
            const std::string id = row["id"].is_string() ? row["id"].get<std::string>() : row["id"].dump(), text = row["t"];
            const Words gpt2 = row["gpt2"], llama3 = row.contains("llama3") ? row["llama3"] : row["gpt2"];
            for (const auto& [name, words] : {std::pair{"gpt2", gpt2}, std::pair{"llama3", llama3}, std::pair{"qwen2", cutNumbers(llama3)}})
                QTest::addRow("%s on tokenizers.md 11 id %s", name, id.c_str())
                    << QString::fromLatin1(name) << QByteArray::fromStdString(text) << shown(words);
        }
    }
    void fixtures() {
        QFETCH(QString, name);
        QFETCH(QByteArray, text);
        QFETCH(QString, pieces);
        QCOMPARE(shown(cut({split(pattern(name.toStdString()))}, text.toStdString())), pieces);
        if (name == QLatin1String("gpt2")) { // ByteLevel's own regex is the same one
            PreTokenizerStep step = plain(PreTokenizerStep::Kind::ByteLevel);
            step.useRegex = true;
            QCOMPARE(shown(cut({step}, text.toStdString())), pieces);
        }
    }
    void smollmCutsTwice() {
        const Words expected{"In", " ", "2", "0", "2", "4", ",", " ", "1", "2", "3", "4", "5", "6",  "7",
                             " +", " ", "3", ".", "1", "4", "1", "5", "9", "e", "-", "1", "0", " =", " ?"};
        QCOMPARE(shown(cut({plain(PreTokenizerStep::Kind::Digits), split(pattern("gpt2"))}, "In 2024, 1234567 + 3.14159e-10 = ?")),
                 shown(expected));
    }
    void countedRepeatOfCl100k() { // tokenizers.md 8: a repeat of a repeat, not a possessive one
        QCOMPARE(shown(cut({split(pattern("cl100k"))}, "a 1234567 b")), shown({"a", " ", "1234567", " b"}));
        std::vector<std::string> warnings;
        QCOMPARE(*translateRegex(pattern("cl100k"), warnings),
                 std::string("'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}+| ?[^\\p{White_Space}\\p{L}\\p{N}]++[\\r\\n]*+|"
                             "\\p{White_Space}++$|\\p{White_Space}*[\\r\\n]|\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}"));
        QCOMPARE(warnings.size(), size_t{1});
        QCOMPARE(*translateRegex("(ab){2,3}+c", warnings), std::string("(?:(ab){2,3})+c"));
        QCOMPARE(*translateRegex("x{2,}+", warnings), std::string("(?:x{2,})+"));
    }
    void spaceAtLineEndsOfCl100k() { // as tokenizers 0.23.3 cuts it: $ is a line's end too
        QCOMPARE(shown(cut({split(pattern("cl100k"))}, "a  \n  ")), shown({"a", "  \n  "}));
        QCOMPARE(shown(cut({split(pattern("cl100k"))}, "a  \nb")), shown({"a", "  \n", "b"}));
        QCOMPARE(shown(cut({split(pattern("cl100k"))}, "a \n\n b")), shown({"a", " \n\n", " b"}));
    }

    void behaviors_data() {
        QTest::addColumn<int>("behavior");
        QTest::addColumn<bool>("invert");
        QTest::addColumn<QString>("pieces");
        const auto row = [](const char* name, Behavior behavior, bool invert, const Words& words) {
            QTest::newRow(name) << static_cast<int>(behavior) << invert << shown(words);
        };
        // The example of tokenizers' documentation, "the-final--countdown" split at "-".
        row("removed", Behavior::Removed, false, {"the", "final", "countdown"});
        row("isolated", Behavior::Isolated, false, {"the", "-", "final", "-", "-", "countdown"});
        row("merged with previous", Behavior::MergedWithPrevious, false, {"the-", "final-", "-", "countdown"});
        row("merged with next", Behavior::MergedWithNext, false, {"the", "-final", "-", "-countdown"});
        row("contiguous", Behavior::Contiguous, false, {"the", "-", "final", "--", "countdown"});
        row("removed, inverted", Behavior::Removed, true, {"-", "-", "-"});
    }
    void behaviors() {
        QFETCH(int, behavior);
        QFETCH(bool, invert);
        QFETCH(QString, pieces);
        for (const bool regex : {false, true})
            QCOMPARE(shown(cut({split("-", regex, static_cast<Behavior>(behavior), invert)}, "the-final--countdown")), pieces);
    }
    void otherSteps() {
        using Kind = PreTokenizerStep::Kind;
        QCOMPARE(shown(cut({plain(Kind::Digits, Behavior::Contiguous)}, "a12\u00bdb3")), shown({"a", "12\u00bd", "b", "3"}));
        QCOMPARE(shown(cut({plain(Kind::Punctuation)}, "hi, \u00abyou\u00bb+")), shown({"hi", ",", " ", "\u00ab", "you", "\u00bb", "+"}));
        QCOMPARE(shown(cut({plain(Kind::WhitespaceSplit)}, " a\u3000b\x1C ")), shown({"a", "b\x1C"}));
        QCOMPARE(shown(cut({plain(Kind::Whitespace)}, "Hey man! e\u0301\u00b2")), shown({"Hey", "man", "!", "e\u0301", "\u00b2"}));
        QCOMPARE(shown(cut({plain(Kind::ByteLevel)}, "a b", false)), shown({"a", "\u0120b"})); // use_regex false would be one piece
    }
    void metaspaceFirstOnlyAtTheStart() {
        PreTokenizerStep step = plain(PreTokenizerStep::Kind::Metaspace);
        step.replacement = "\u2581";
        step.scheme = PrependScheme::First;
        QCOMPARE(shown(cut({step}, "a b  c")), shown({"\u2581a", "\u2581b", "\u2581", "\u2581c"}));
        QCOMPARE(shown(cut({split("-", false), step}, "a-b")), shown({"\u2581a", "-", "b"}));
        QCOMPARE(shown(cut({split("-", false, Behavior::Removed), step}, "-b")), shown({"b"}));
        step.scheme = PrependScheme::Always;
        QCOMPARE(shown(cut({split("-", false), step}, "a-b")), shown({"\u2581a", "\u2581-", "\u2581b"}));
        step.split = false;
        QCOMPARE(shown(cut({step}, " a b")), shown({"\u2581a\u2581b"}));
    }

    void refusedPatterns_data() {
        QTest::addColumn<QString>("text");
        for (const char* text : {"(*UTF)a",     "a(*ACCEPT)",
                                 "\\h",         "\\H+",
                                 "\\R",         "\\X",
                                 "\\K",         "\\C",
                                 "\\g<1>",      "[a&&b]",
                                 "[[:alpha:]]", "[a[b]]",
                                 "(?m:a)",      "(?<n>a)",
                                 "(?C1)a",      "a{,3}",
                                 "a{2}?",       "[\\W]",
                                 "[]a]",        "\\Q",
                                 "\\1",         "[a",
                                 "(a",          "a)",
                                 "a\\",         "\\p{NoSuchThing}",
                                 "\\pL",        "(?#x)",
                                 "\\u0041"})
            QTest::newRow(text) << QString::fromLatin1(text);
    }
    void refusedPatterns() {
        QFETCH(QString, text);
        std::vector<std::string> warnings;
        const auto made = Regex::compile(text.toStdString(), warnings);
        QVERIFY(!made.ok());
        QCOMPARE(made.error().code, std::string("tokenizer.unsupported"));
        QVERIFY2(made.error().message.find(text.toStdString()) != std::string::npos, made.error().message.c_str());
    }
    void emptyMatchesMoveOn() {
        std::vector<std::string> warnings;
        std::vector<Span> matches;
        std::string failure;
        QVERIFY(Regex::compile("a*", warnings)->findAll("b\u00e9aa", matches, failure));
        QCOMPARE(matches.size(), size_t{3}); // before b, before é, aa
        QCOMPARE(matches[2].end, size_t{5});
    }
    void hostilePatternGivesUpAndSaysWhich() {
        std::vector<std::string> warnings;
        std::vector<Span> matches;
        std::string failure;
        const auto regex = Regex::compile("(a+)+(a+)+[bc]", warnings);
        QVERIFY(regex.ok());
        QVERIFY(!regex->findAll(std::string(200, 'a'), matches, failure));
        QVERIFY2(failure.find("(a+)+(a+)+[bc]") != std::string::npos && failure.find("byte 0") != std::string::npos, failure.c_str());
    }
    void longRunsStayFast_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("unit");
        for (const char* name : {"gpt2", "llama3", "qwen2", "qwen35", "cl100k", "o200k"})
            for (const auto& [what, unit] :
                 {std::pair{"letters", "a"}, std::pair{"capitals", "A"}, std::pair{"spaces", " "}, std::pair{"digits", "1"},
                  std::pair{"newlines", "\n"}, std::pair{"marks", "!"}, std::pair{"spaces and newlines", " \n"}})
                QTest::addRow("%s, 1 MB of %s", name, what) << QString::fromLatin1(name) << QByteArray(unit);
    }
    void longRunsStayFast() {
        QFETCH(QString, name);
        QFETCH(QByteArray, unit);
        std::string text;
        while (text.size() < 1'000'000) text += unit.toStdString();
        const std::clock_t start = std::clock();
        size_t bytes = 0;
        for (const std::string& piece : cut({split(pattern(name.toStdString()))}, text)) bytes += piece.size();
        QCOMPARE(bytes, text.size());
        QVERIFY2(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 2, "more than 2 s of processor time");
    }
};

QTEST_GUILESS_MAIN(SplitsTest)
#include "tst_splits.moc"
