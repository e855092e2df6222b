// SPDX-License-Identifier: GPL-3.0-or-later
// What: what stands around a chart's plot: legend, controls, notes, table, exports, what it remembers.
#include "chart_fixture.h"
#include "charts/chart_controls.h"
#include "charts/chart_group.h"
#include "charts/chart_legend.h"
#include "theme/theme.h"

#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QSlider>
#include <QTableView>
#include <QToolButton>

using namespace qw::ui;
using namespace chartfix;

namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Shown {
    QatChart chart{QStringLiteral("lossChart")};
    explicit Shown(int lines = 1) {
        chart.setTitle(QStringLiteral("loss"));
        chart.resize(900, 420);
        for (int i = 0; i < lines; ++i)
            addLine(
                chart, QStringLiteral("r%1").arg(i), 1000, [i](int step) { return wave(step) + i; }, i);
        chart.show();
        if (!QTest::qWaitForWindowExposed(&chart)) qFatal("the chart does not show");
        chart.replotNow();
    }
    template<typename T> T* part(const char* name) { return chart.findChild<T*>(QLatin1String(name)); }
    QListView* legend() { return part<QListView>("lossChart.legend"); }
    QPoint row(int i) { return legend()->visualRect(legend()->model()->index(i, 0)).center(); }
};

QByteArray bytesOf(const QString& file) {
    QFile in(file);
    return in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray();
}

// Pixels that are not the ground.
int inkOf(const QImage& image, const QRect& where) {
    int ink = 0;
    const QColor ground = Theme::instance().colour(Token::Base);
    for (int y = where.top(); y <= where.bottom(); ++y)
        for (int x = where.left(); x <= where.right(); ++x) ink += image.pixelColor(x, y) != ground ? 1 : 0;
    return ink;
}

} // namespace

class ChartPartsTest : public QObject {
    Q_OBJECT
    QTemporaryDir m_dir;
private Q_SLOTS:
    void initTestCase() { Theme::instance().choose(Theme::Choice::Light); }

    void everyPartHasItsName() {
        Shown s(2);
        for (const char* name : {"lossChart.plot", "lossChart.smoothing", "lossChart.logY", "lossChart.xAxis", "lossChart.legend",
                                 "lossChart.readout", "followButton", "chartExportButton", "chartDataTable"}) {
            QWidget* part = s.part<QWidget>(name);
            QVERIFY2(part, name);
            QVERIFY2(!part->accessibleName().isEmpty(), name);
        }
        for (const QWidget* widget : s.chart.findChildren<QWidget*>())
            if (widget->focusPolicy() != Qt::NoFocus && widget->isVisible() && !widget->objectName().startsWith(QLatin1String("qt_")))
                QVERIFY2(!widget->accessibleName().isEmpty(),
                         qPrintable(widget->objectName() + QLatin1String(widget->metaObject()->className())));
    }
    void legendHidesSolosAndLifts() {
        Shown s(3);
        QTest::mouseClick(s.legend()->viewport(), Qt::LeftButton, {}, s.row(1));
        QVERIFY(!s.chart.isSeriesVisible(QStringLiteral("r1")));
        s.chart.setCrosshair(500);
        QCOMPARE(s.chart.readout().size(), 2U);
        QTest::mouseClick(s.legend()->viewport(), Qt::LeftButton, {}, s.row(1));
        QVERIFY(s.chart.isSeriesVisible(QStringLiteral("r1")));
        doubleClick(s.legend()->viewport(), s.row(2));
        QVERIFY(s.chart.isSeriesVisible(QStringLiteral("r2")));
        QVERIFY(!s.chart.isSeriesVisible(QStringLiteral("r0")) && !s.chart.isSeriesVisible(QStringLiteral("r1")));
        doubleClick(s.legend()->viewport(), s.row(2));
        QCOMPARE(s.chart.viewState().value(QStringLiteral("hidden")).toStringList(), QStringList());
        s.legend()->setCurrentIndex(s.legend()->model()->index(0, 0));
        QTest::keyClick(s.legend(), Qt::Key_Space);
        QVERIFY(!s.chart.isSeriesVisible(QStringLiteral("r0")));
        QTest::keyClick(s.legend(), Qt::Key_Space);
        QTest::keyClick(s.legend(), Qt::Key_Return);
        QVERIFY(!s.chart.isSeriesVisible(QStringLiteral("r1")));
        auto* box = qobject_cast<ChartLegend*>(s.legend()->parentWidget());
        QSignalSpy lifted(box, &ChartLegend::lifted);
        QTest::mouseMove(s.legend()->viewport(), s.row(1));
        QTest::mouseMove(s.legend()->viewport(), s.row(2));
        QTRY_VERIFY(!lifted.isEmpty());
        QCOMPARE(lifted.last().first().toString(), QStringLiteral("r2"));
    }
    void filterBeyondEight() {
        Shown s(8);
        auto* filter = s.part<QLineEdit>("lossChart.legendFilter");
        QVERIFY(filter->isHidden());
        QAbstractItemModelTester tester(s.legend()->model(), QAbstractItemModelTester::FailureReportingMode::Fatal);
        for (int i = 8; i < 12; ++i) addLine(s.chart, QStringLiteral("r%1").arg(i), 10, wave, i);
        s.chart.replotNow();
        QVERIFY(filter->isVisible());
        QCOMPARE(s.legend()->model()->rowCount(), 12);
        QTest::keyClicks(filter, QStringLiteral("R1"));
        QCOMPARE(s.legend()->model()->rowCount(), 3); // r1, r10, r11
    }
    void notNumbersAreCountedAndMarked() {
        Shown s(2);
        QWidget* plot = plotOf(s.chart);
        const int before = inkOf(plot->grab().toImage(), QRect(plot->width() / 2 - 200, 17, 400, 8));
        addLine(
            s.chart, QStringLiteral("r1"), 1000, [](int i) { return i == 500 || i == 501 ? kNaN
                                                                    : i == 600           ? INFINITY
                                                                                         : 2.0; }, 1);
        s.chart.replotNow();
        const QModelIndex row = s.legend()->model()->index(1, 0);
        QCOMPARE(row.data(ChartLegendModel::CountsRole).toString(), QStringLiteral("2 NaN, 1 Inf"));
        QVERIFY(row.data(Qt::AccessibleTextRole).toString().contains(QLatin1String("2 NaN")));
        QVERIFY(inkOf(plot->grab().toImage(), QRect(plot->width() / 2 - 200, 17, 400, 8)) > before + 20);
        QVERIFY(std::isfinite(s.chart.yUpper()));
    }
    void logHidesAndSaysSo() {
        Shown s;
        addLine(s.chart, QStringLiteral("r0"), 100, [](int i) { return i % 10 == 0 ? -1.0 : i % 10 == 1 ? 0.0 : 5.0 * i; });
        s.chart.setLogY(true);
        s.chart.replotNow();
        QVERIFY(s.chart.yLower() > 0);
        bool said = false;
        for (const QLabel* label : s.chart.findChildren<QLabel*>())
            said = said || (label->isVisible() && label->text().contains(QLatin1String("20")));
        QVERIFY(said);
        s.chart.setLogY(false);
        s.chart.replotNow();
        QVERIFY(s.chart.yLower() < -1);
    }
    void smoothingHasTwoWays() {
        Shown s;
        auto* slider = s.part<QSlider>("lossChart.smoothing");
        auto* box = s.part<QDoubleSpinBox>("lossChart.smoothingBox");
        slider->setValue(60);
        QCOMPARE(s.chart.smoothing(), 0.6);
        box->setValue(0.999);
        QCOMPARE(s.chart.smoothing(), 0.999);
        QCOMPARE(slider->value(), 99);
        s.chart.setSmoothing(0.25);
        QCOMPARE(box->value(), 0.25);
        s.chart.setSmoothing(7);
        QCOMPARE(s.chart.smoothing(), 0.999);
    }
    void whatIsChosenIsRemembered() {
        Shown a(3), b(3);
        a.chart.setSmoothing(0.42);
        a.chart.setLogY(true);
        a.chart.setXAxis(ChartX::Tokens);
        a.chart.setSeedBands(SeedBands::StandardError);
        a.chart.setReadoutOrder(ReadoutOrder::Lowest);
        a.chart.setSeriesVisible(QStringLiteral("r2"), false);
        b.chart.restoreViewState(a.chart.viewState());
        QCOMPARE(b.chart.viewState(), a.chart.viewState());
        QVERIFY(!b.chart.isSeriesVisible(QStringLiteral("r2")));
        b.chart.replotNow();
        QVERIFY(b.chart.xUpper() > 99000); // 1 000 steps of 100 tokens
        b.chart.restoreViewState({{QStringLiteral("xAxis"), 77}, {QStringLiteral("smoothing"), QStringLiteral("much")}});
        QCOMPARE(b.chart.xAxis(), ChartX::Time); // what is damaged does no harm
    }
    void csvHasTheVisibleRange_data() {
        QTest::addColumn<bool>("visible");
        QTest::addColumn<bool>("smoothed");
        QTest::addColumn<int>("rows");
        QTest::addColumn<int>("columns");
        QTest::newRow("visible, raw") << true << false << 101 << 3;
        QTest::newRow("visible, smoothed") << true << true << 101 << 5;
        QTest::newRow("all, raw") << false << false << 1000 << 3;
    }
    void csvHasTheVisibleRange() {
        QFETCH(bool, visible);
        QFETCH(bool, smoothed);
        QFETCH(int, rows);
        QFETCH(int, columns);
        Shown s(2);
        s.chart.setSmoothing(0.5);
        s.chart.setRange(200, 300, 0, 10);
        const QString file = m_dir.filePath(QStringLiteral("chart.csv"));
        QVERIFY(s.chart.exportCsv(file, {visible, smoothed, 1}));
        const QList<QByteArray> lines = bytesOf(file).trimmed().split('\n');
        QCOMPARE(lines.size(), rows + 1);
        QCOMPARE(lines[0].split(',').size(), columns);
        const QList<QByteArray> first = lines[1].split(',');
        QCOMPARE(first[0].toInt(), visible ? 200 : 1);
        QCOMPARE(first[1].toDouble(), wave(visible ? 200 : 1)); // every digit comes back
        s.chart.setTableShown(true);
        auto* table = s.part<QTableView>("chartDataTable");
        QCOMPARE(table->model()->rowCount(), 101);
        QAbstractItemModelTester tester(table->model(), QAbstractItemModelTester::FailureReportingMode::Fatal);
        s.chart.setTableShown(false);
        QVERIFY(plotOf(s.chart)->isVisible());
    }
    void picturesAndPages() {
        Shown s(2);
        const QString pdf = m_dir.filePath(QStringLiteral("chart.pdf"));
        QVERIFY(s.chart.exportPdf(pdf, {}));
        const QByteArray page = bytesOf(pdf);
        QVERIFY(page.startsWith("%PDF-") && page.trimmed().endsWith("%%EOF"));
        QatChart bare(QStringLiteral("bare"));
        const QString empty = m_dir.filePath(QStringLiteral("bare.pdf"));
        QVERIFY(bare.exportPdf(empty, {}));
        QVERIFY2(page.size() > bytesOf(empty).size() + 4000, qPrintable(QString::number(page.size()))); // the lines are on it
        const QSize one = s.chart.image(1).size();
        for (const double scale : {1.0, 2.0, 4.0}) {
            const QString png = m_dir.filePath(QStringLiteral("chart%1.png").arg(scale));
            QVERIFY(s.chart.exportPng(png, {true, false, scale}));
            const QImage image(png);
            QCOMPARE(image.size(), one * scale);
            QVERIFY(inkOf(image.scaled(one), QRect(QPoint(0, 0), one)) > 3000);
        }
        const auto refused = s.chart.exportPng(m_dir.filePath(QStringLiteral("no/such/folder.png")), {});
        QVERIFY(!refused && refused.error().code == "file.write" && !refused.error().hint.empty());
    }
    void wordsForWhoCannotSeeIt() {
        Shown s(2);
        addLine(s.chart, QStringLiteral("r0"), 10, [](int) { return 2.31; });
        addLine(s.chart, QStringLiteral("r1"), 10, [](int) { return 2.28; });
        s.chart.replotNow();
        const QString words = s.chart.accessibleDescription();
        QVERIFY2(words.startsWith(QLatin1String("loss, 2 run")), qPrintable(words));
        QVERIFY(words.contains(QLocale().toString(2.31, 'f', 3) + QStringLiteral(", ") + QLocale().toString(2.28, 'f', 3)));
        s.chart.clearSeries();
        s.chart.replotNow();
        QCOMPARE(s.chart.accessibleDescription(), QStringLiteral("loss, no data"));
    }
    void bandsAndFlagsAreExplained() {
        Shown s;
        s.chart.setBand({QStringLiteral("fq"), QStringLiteral("fake quant on"), 400, INFINITY});
        s.chart.addFlag({200, QStringLiteral("save"), QStringLiteral("checkpoint saved")});
        s.chart.replotNow();
        QWidget* plot = plotOf(s.chart);
        const QImage image = plot->grab().toImage();
        QCOMPARE(image.pixelColor(plot->width() * 3 / 4, plot->height() * 3 / 4 + 20), Theme::instance().colour(Token::Band));
        QVERIFY(image.pixelColor(plot->width() / 5, plot->height() * 3 / 4 + 20) != Theme::instance().colour(Token::Band));
        s.chart.removeBand(QStringLiteral("fq"));
        s.chart.replotNow();
        QVERIFY(plot->grab().toImage().pixelColor(plot->width() * 3 / 4, plot->height() * 3 / 4 + 20) !=
                Theme::instance().colour(Token::Band));
    }
    void aTileKeepsItsRoom() {
        Shown s;
        s.chart.setTitle({});
        s.chart.setCompact(true);
        QTRY_VERIFY(plotOf(s.chart)->height() >= s.chart.height() - 2);
        wheel(plotOf(s.chart), QPointF(plotOf(s.chart)->rect().center()), 1);
        auto* follow = s.part<QToolButton>("followButton");
        QVERIFY(follow->isVisible() && plotOf(s.chart)->isAncestorOf(follow));
        QTest::mouseClick(follow, Qt::LeftButton);
        QVERIFY(s.chart.isFollowing() && !follow->isVisible());
        QVERIFY(s.chart.exportMenu() && s.chart.exportMenu()->actions().size() > 5);
    }
    void oneRowForAGroup() {
        ChartGroup group;
        ChartControls row(QStringLiteral("liveAll"));
        row.bind(&group);
        row.findChild<QSlider*>(QStringLiteral("liveAll.smoothing"))->setValue(30);
        QCOMPARE(group.smoothing(), 0.3);
        group.setXAxis(ChartX::Time);
        QCOMPARE(row.findChild<QComboBox*>(QStringLiteral("liveAll.xAxis"))->currentIndex(), 2);
    }
};

QTEST_MAIN(ChartPartsTest)
#include "tst_chart_parts.moc"
