// SPDX-License-Identifier: GPL-3.0-or-later
// What: a sweep without its dialog: ranges, every combination under names of its own, what it costs.
#include "config/recipe_file.h"
#include "config/resources.h"
#include "pages/train/sweep.h"
#include "study/members.h"
#include "test_data.h"

#include <set>

using namespace qw;
using namespace qw::ui;

namespace {

records::Recipe sample() { return config::loadRecipe(config::resourcesDir() / "sample/study.yaml")->recipe; }

} // namespace

class SweepTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void numbers_data() {
        QTest::addColumn<QString>("words");
        QTest::addColumn<QList<qint64>>("wanted");
        QTest::addColumn<QString>("wrong"); // part that the message names; empty: all is well
        QTest::newRow("nothing") << QString() << QList<qint64>{} << QString();
        QTest::newRow("list") << QStringLiteral("32, 64,32") << QList<qint64>{32, 64} << QString();
        QTest::newRow("range") << QStringLiteral("2-4") << QList<qint64>{2, 3, 4} << QString();
        QTest::newRow("dots and more") << QStringLiteral(" 1..3 ; 7 ") << QList<qint64>{1, 2, 3, 7} << QString();
        QTest::newRow("word") << QStringLiteral("2, many") << QList<qint64>{} << QStringLiteral("many");
        QTest::newRow("below") << QStringLiteral("0") << QList<qint64>{} << QStringLiteral("“0”");
        QTest::newRow("backwards") << QStringLiteral("5-2") << QList<qint64>{} << QStringLiteral("5-2");
        QTest::newRow("endless") << QStringLiteral("1-100000") << QList<qint64>{} << QStringLiteral("1-100000");
        QTest::newRow("share") << QStringLiteral("1.5") << QList<qint64>{} << QStringLiteral("1.5");
    }
    void numbers() {
        QFETCH(QString, words);
        QFETCH(QList<qint64>, wanted);
        QFETCH(QString, wrong);
        const auto read = wholeNumbers(words, 1, 1 << 20);
        QCOMPARE(read.ok(), wrong.isEmpty());
        if (!read) {
            QVERIFY2(read.error().message.find(wrong.toStdString()) != std::string::npos, read.error().message.c_str());
            return;
        }
        QCOMPARE(QList<qint64>(read->begin(), read->end()), wanted);
    }

    void everyCombinationOnce() {
        const auto recipe = sample();
        const Sweep sweep{{3, 4}, {32, 64}, {1e-4, 2.5e-4}, {1, 2, 3}};
        const auto swept = sweptRecipe(recipe, sweep);
        QVERIFY2(swept.ok(), swept ? "" : swept.error().message.c_str());
        QCOMPARE(swept->schemes.size(), recipe.schemes.size() * 8);
        std::set<std::tuple<std::string, std::string, double>> seen;
        for (const auto& scheme : swept->schemes) {
            const auto member = config::resolveMember(*swept, scheme.name, 2);
            QVERIFY2(member.ok(), member ? "" : member.error().message.c_str());
            QVERIFY(member->qat.has_value());
            seen.insert({scheme.name.substr(0, scheme.name.find("-w", 2)), config::writeQatBlock(*member->qat), member->optim.lr});
        }
        QCOMPARE(seen.size(), swept->schemes.size()); // all differ
        const auto members = study::expand(*swept);
        QVERIFY(members.ok());
        const auto qat = std::ranges::count_if(*members, [](const auto& m) { return m.run.role == records::RowRole::Qat; });
        QCOMPARE(static_cast<size_t>(qat), swept->schemes.size() * 3);
    }

    void whatItCosts() {
        const auto recipe = sample();
        Forecast before;
        before.trained = 5;
        before.seconds = 50;
        before.stateBytes = 300;
        before.modelBytes = 100;
        const auto swept = sweptRecipe(recipe, {{}, {}, {}, {1, 2, 3}});
        const auto cost = costOf(*swept, before);
        QVERIFY(cost.ok());
        const auto members = study::expand(*swept);
        QCOMPARE(cost->rows, static_cast<int>(members->size()));
        QVERIFY(cost->trained > 5 && cost->trained < cost->rows);
        QCOMPARE(*cost->seconds, 10.0 * cost->trained);
        QCOMPARE(cost->diskBytes, cost->trained * (double(swept->checkpoint.keep) * 300 + 100));
        QVERIFY(!costOf(*swept, std::nullopt)->seconds);
    }

    void whatCannotBeVariedSaysWhy() {
        records::Recipe recipe = sample();
        recipe.schemes.clear();
        QVERIFY(!sweptRecipe(recipe, {{4}, {}, {}, {}}).ok());
        recipe.schemes = {*config::makeScheme("a", "{preset: 8da4w}"), *config::makeScheme("a-w4", "{preset: 8da4w}")};
        recipe.schemes[1].name = "a-w4";
        const auto nothing = sweptRecipe(recipe, {});
        QVERIFY(nothing.ok() && nothing->schemes.size() == 2);
        QCOMPARE(learningRates(QStringLiteral("1e-4, -2")).error().code, std::string("config.invalid"));
    }
};

QTEST_GUILESS_MAIN(SweepTest)
#include "tst_sweep.moc"
