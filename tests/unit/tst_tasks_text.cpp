// SPDX-License-Identifier: GPL-3.0-or-later
// What: how task files' texts are cleaned, capitalised, detokenised and counted, as the harness does it.
#include "base/utf8.h"
#include "tasks/tasks.h"
#include "test_data.h"

using namespace qw;
using namespace qw::tasks;

class TasksTextTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void cleans_data() {
        QTest::addColumn<QByteArray>("in");
        QTest::addColumn<QByteArray>("want");
        QTest::newRow("title tag") << QByteArray("One. [title] Two") << QByteArray("One.. Two");
        QTest::newRow("leading tag leaves its space") << QByteArray("[step] Go") << QByteArray(" Go");
        QTest::newRow("trailing tag leaves its space") << QByteArray("Go [step]") << QByteArray("Go ");
        QTest::newRow("nearest closing bracket") << QByteArray("a[b[c]d]e") << QByteArray("ad]e");
        QTest::newRow("unclosed stays") << QByteArray("a [b c") << QByteArray("a [b c");
        QTest::newRow("not across lines") << QByteArray("a[b\nc]d[e]") << QByteArray("a[b\nc]d");
        QTest::newRow("three spaces become two") << QByteArray("a   b") << QByteArray("a  b");
        QTest::newRow("four become two") << QByteArray("a    b") << QByteArray("a  b");
        QTest::newRow("no-break and ideographic space are trimmed") << QByteArray("\xC2\xA0 a \xE3\x80\x80") << QByteArray("a");
        QTest::newRow("empty") << QByteArray("") << QByteArray("");
    }

    void cleans() {
        QFETCH(QByteArray, in);
        QFETCH(QByteArray, want);
        QCOMPARE(QByteArray::fromStdString(cleanHellaswag(in.toStdString())), want);
    }

    void capitalises_data() { // expected values: Python 3.11 str.capitalize()
        QTest::addColumn<QString>("in");
        QTest::addColumn<QString>("want");
        const auto row = [](const char* name, const char16_t* in, const char16_t* want) {
            QTest::newRow(name) << QString::fromUtf16(in) << QString::fromUtf16(want);
        };
        row("plain", u"he", u"He");
        row("later capitals fall", u"the NASA Probe", u"The nasa probe");
        row("sharp s", u"\u00DFa", u"Ssa");
        row("digraph takes title case", u"\u01C6A", u"\u01C5a");
        row("final sigma", u"\u03A3\u039F\u03A3", u"\u03A3\u03BF\u03C2");
        row("sigma behind the first letter", u"A\u03A3", u"A\u03C2");
        row("sigma behind a full stop", u".\u03A3", u".\u03C3");
        row("dotted capital I", u"A\u0130", u"Ai\u0307");
        row("ligature", u"\uFB01X", u"Fix");
        row("no letters", u", 1", u", 1");
        row("empty", u"", u"");
    }

    void capitalises() {
        QFETCH(QString, in);
        QFETCH(QString, want);
        QCOMPARE(QString::fromStdString(capitalise(in.toStdString())), want);
    }

    void detokenises_data() { // one row a rule of evaluation.md 5; made with the harness's own function
        QTest::addColumn<QByteArray>("in");
        QTest::addColumn<QByteArray>("want");
        const auto row = [](const char* name, const char* in, const char* want) {
            QTest::newRow(name) << QByteArray(in) << QByteArray(want);
        };
        row("1", "James ' hat", "James' hat");
        row("2 fires", "a/' 7/b", "a/'[0-9]/b");
        row("2 does not", "a/' x/b", "a/' x/b");
        row("3 to 5", "1 @,@ 000 @.@ 5 @-@ x", "1,000.5-x");
        row("6 to 11", "a : b ; c . d ! e ? f , g", "a: b; c. d! e? f, g");
        row("one pass only", "a . . b", "a. . b");
        row("12", "x ( a b ) y", "x (a b) y");
        row("12 with an opener inside", "( a ( b ) c )", "(a ( b) c )");
        row("12 unmatched", "x ( a b", "x ( a b");
        row("12 only space inside", "(  )", "()");
        row("12 across lines", "(\n a \n)", "(a)");
        row("13", "[ a ]", "[a]");
        row("14", "{ a }", "{a}");
        row("15", "say \" yes \" or \" no \" now \"", "say \"yes\" or \"no\" now \"");
        row("16 pairs every apostrophe", "don't say ' it 's '", "don't say' it's'");
        row("17 to 19", "= = = = x = = = y = = z", "==== x === y == z");
        row("20", "5 \xC2\xB0 C",
            "5\xC2\xB0"
            "C");
        row("21, 22", "a \n b", "a\nb");
        row("23", " N N ", " 1 N ");
        row("24", "it 's", "it's");
    }

    void detokenises() {
        QFETCH(QByteArray, in);
        QFETCH(QByteArray, want);
        QCOMPARE(QByteArray::fromStdString(detokeniseWikitext(in.toStdString())), want);
    }

    void wordsAndTitles() {
        QCOMPARE(countWords(" a b "), 4);
        QCOMPARE(countWords("a"), 1);
        QCOMPARE(countWords(""), 1);
        QCOMPARE(countWords("a\xE3\x80\x80\n b"), 2);
        QCOMPARE(wikitextPages(" \n = T = \n = = S = = \n x").size(), size_t{1});
        QCOMPARE(wikitextPages("a\n = T = \n\n = U = ").size(), size_t{3});
        QCOMPARE(wikitextPages("").size(), size_t{1});
    }
};

QTEST_GUILESS_MAIN(TasksTextTest)
#include "tst_tasks_text.moc"
