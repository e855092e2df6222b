// SPDX-License-Identifier: GPL-3.0-or-later
// What: bars, points with their frontier, histograms.
#include "charts/bar_chart.h"
#include "charts/histogram_chart.h"
#include "charts/scatter_chart.h"
#include "theme/theme.h"

#include <QSignalSpy>
#include <QtTest>

using namespace qw::ui;

class ChartPlainTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { Theme::instance().choose(Theme::Choice::Light); }

    void barsAndPointsAnswer() {
        BarChart bars(QStringLiteral("compareBars"));
        bars.setTitle(QStringLiteral("acc"));
        bars.resize(500, 300);
        std::vector<Bar> facts(2);
        facts[0].id = facts[0].label = QStringLiteral("float");
        facts[0].value = 76.6;
        facts[1].id = facts[1].label = QStringLiteral("QAT");
        facts[1].value = 76.5;
        facts[1].lower = 76;
        facts[1].upper = 77;
        bars.setBars(facts);
        bars.show();
        QVERIFY(QTest::qWaitForWindowExposed(&bars));
        QSignalSpy clicked(&bars, &BarChart::barClicked);
        QWidget* plot = bars.findChild<QWidget*>(QStringLiteral("compareBars.plot"));
        QTest::mouseClick(plot, Qt::LeftButton, {}, QPoint(plot->width() / 2, plot->height() / 4));
        QCOMPARE(bars.selected(), QStringLiteral("float")); // the first bar is on top
        QTest::keyClick(plot, Qt::Key_Down);
        QCOMPARE(clicked.last().first().toString(), QStringLiteral("QAT"));
        QVERIFY(bars.accessibleDescription().contains(QLatin1String("QAT")));
        QCOMPARE(bars.image(2).devicePixelRatio(), 2.0);
        ScatterChart points(QStringLiteral("paretoChart"));
        points.setAxes(QStringLiteral("size"), qw::stats::Better::Lower, QStringLiteral("acc"), qw::stats::Better::Higher);
        std::vector<ScatterPoint> runs(3);
        const std::tuple<const char*, double, double> values[] = {{"float", 16, 76.6}, {"PTQ", 4.13, 70}, {"QAT", 4.13, 76.5}};
        for (size_t i = 0; i < runs.size(); ++i) {
            runs[i].id = runs[i].label = QLatin1String(std::get<0>(values[i]));
            runs[i].x = std::get<1>(values[i]);
            runs[i].y = std::get<2>(values[i]);
        }
        points.setPoints(runs);
        QCOMPARE(points.frontier(), (std::vector<QString>{QStringLiteral("QAT"), QStringLiteral("float")}));
        QSignalSpy activated(&points, &ScatterChart::pointActivated);
        QWidget* field = points.findChild<QWidget*>(QStringLiteral("paretoChart.plot"));
        QTest::keyClick(field, Qt::Key_Left);
        QCOMPARE(points.selected(), QStringLiteral("float"));
        QTest::keyClick(field, Qt::Key_Return);
        QCOMPARE(activated.count(), 1);
    }
    void histogramShadesWhatIsClipped() {
        HistogramChart chart(QStringLiteral("weightHistogram"));
        chart.resize(400, 300);
        HistogramFacts facts;
        facts.lower = -4;
        facts.upper = 4;
        facts.before = {0, 0, 0, 10, 10, 0, 0, 0};
        facts.levels = {-2, -1, 0, 1};
        facts.clipUpper = 2;
        facts.clippedPercent = 12.5;
        chart.setFacts(facts);
        const QImage image = chart.image(1);
        const QColor tinted = image.pixelColor(image.width() * 15 / 16 - 4, image.height() / 2),
                     plain = image.pixelColor(image.width() / 5 + 3, image.height() / 2);
        QVERIFY(tinted.red() > tinted.blue());
        QVERIFY(plain.red() == plain.blue());
        QVERIFY(chart.accessibleDescription().contains(QLatin1String("20 weights")));
        chart.clear();
        QVERIFY(chart.accessibleDescription().contains(QLatin1String("no data")));
    }
};

QTEST_MAIN(ChartPlainTest)
#include "tst_chart_plain.moc"
