// SPDX-License-Identifier: GPL-3.0-or-later
// What: QatChart as a user meets it: wheel, drag, keys, crosshair, legend, follow, colours, scale.
#include "chart_fixture.h"
#include "charts/chart_group.h"
#include "charts/qcp.h"
#include "theme/theme.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QSignalSpy>
#include <QSlider>
#include <QToolButton>

using namespace qw::ui;
using namespace chartfix;

namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN();

QCustomPlot& qcp(const QatChart& chart) { return *qobject_cast<QCustomPlot*>(plotOf(chart)); }
QPoint middle(const QatChart& chart) { return qcp(chart).axisRect()->rect().center(); }

struct Shown {
    QatChart chart{QStringLiteral("lossChart")};
    Shown() {
        chart.setTitle(QStringLiteral("loss"));
        chart.resize(900, 420);
        addLine(chart, QStringLiteral("a"), 1000, wave);
        chart.show();
        if (!QTest::qWaitForWindowExposed(&chart)) qFatal("the chart does not show");
        chart.replotNow();
    }
};

} // namespace

class ChartTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { Theme::instance().choose(Theme::Choice::Light); }

    void newDataNeverResetsAZoom() {
        Shown s;
        QVERIFY(s.chart.isFollowing());
        s.chart.append(QStringLiteral("a"), 1001, 50);
        s.chart.replotNow();
        QVERIFY(s.chart.xUpper() >= 1001 && s.chart.yUpper() > 50);
        QSignalSpy followed(&s.chart, &QatChart::followingChanged);
        wheel(plotOf(s.chart), middle(s.chart), 2);
        QVERIFY(!s.chart.isFollowing());
        QCOMPARE(followed.count(), 1);
        const Window zoomed = windowOf(s.chart);
        for (int i = 0; i < 500; ++i) s.chart.append(QStringLiteral("a"), 1002 + i, 1e6);
        s.chart.replotNow();
        QVERIFY(windowOf(s.chart) == zoomed);
        auto* follow = s.chart.findChild<QToolButton*>(QStringLiteral("followButton"));
        QVERIFY(follow && follow->isVisible() && !follow->isChecked());
        QTest::mouseClick(follow, Qt::LeftButton);
        s.chart.replotNow();
        QVERIFY(s.chart.isFollowing() && s.chart.xUpper() >= 1501 && s.chart.yUpper() > 1e6);
    }
    void gesturesOnTheirPart_data() {
        QTest::addColumn<QString>("gesture");
        QTest::addColumn<bool>("x");
        QTest::addColumn<bool>("y");
        QTest::newRow("wheel inside") << QStringLiteral("wheel") << true << true;
        QTest::newRow("wheel on the x axis") << QStringLiteral("wheelX") << true << false;
        QTest::newRow("wheel on the y axis") << QStringLiteral("wheelY") << false << true;
        QTest::newRow("drag inside") << QStringLiteral("drag") << true << true;
        QTest::newRow("drag on the x axis") << QStringLiteral("dragX") << true << false;
        QTest::newRow("drag on the y axis") << QStringLiteral("dragY") << false << true;
        QTest::newRow("box") << QStringLiteral("box") << true << true;
    }
    void gesturesOnTheirPart() {
        QFETCH(QString, gesture);
        QFETCH(bool, x);
        QFETCH(bool, y);
        Shown s;
        const Window before = windowOf(s.chart);
        const QRect inside = qcp(s.chart).axisRect()->rect();
        const QPoint centre = inside.center();
        const QPoint at = gesture.endsWith(QLatin1Char('X'))   ? QPoint(centre.x(), inside.bottom() + 12)
                          : gesture.endsWith(QLatin1Char('Y')) ? QPoint(inside.left() - 12, centre.y())
                                                               : centre;
        if (gesture.startsWith(QLatin1String("wheel")))
            wheel(plotOf(s.chart), at, 3);
        else
            drag(plotOf(s.chart), at, at + QPoint(80, 60), gesture == QLatin1String("box") ? Qt::ShiftModifier : Qt::NoModifier);
        const Window after = windowOf(s.chart);
        QCOMPARE(after.x0 != before.x0, x);
        QCOMPARE(after.x1 != before.x1, x);
        QCOMPARE(after.y0 != before.y0, y);
        QCOMPARE(after.y1 != before.y1, y);
        QVERIFY(s.chart.pins().empty()); // no gesture is a click
        if (gesture.startsWith(QLatin1String("drag"))) {
            QVERIFY(std::abs((after.x1 - after.x0) - (before.x1 - before.x0)) < 1e-9);
            if (x) QVERIFY(after.x0 < before.x0); // the paper follows the hand
            if (y) QVERIFY(after.y0 > before.y0);
        }
        if (gesture == QLatin1String("box")) {
            const double share = 80.0 / inside.width();
            QVERIFY(std::abs((after.x1 - after.x0) / (before.x1 - before.x0) - share) < 0.01);
        }
        QTest::keyClick(plotOf(s.chart), Qt::Key_Backspace);
        QVERIFY(windowOf(s.chart) == before);
        QVERIFY(s.chart.isFollowing());
    }
    void theWheelKeepsThePlaceUnderThePointer() {
        Shown s;
        const QPoint at = middle(s.chart) + QPoint(-150, 40);
        const double x = qcp(s.chart).xAxis->pixelToCoord(at.x()), y = qcp(s.chart).yAxis->pixelToCoord(at.y());
        for (int i = 0; i < 5; ++i) wheel(plotOf(s.chart), at, 1);
        s.chart.replotNow();
        QVERIFY(std::abs(qcp(s.chart).xAxis->coordToPixel(x) - at.x()) < 1); // labels of another width may move the frame a little
        QVERIFY(std::abs(qcp(s.chart).yAxis->coordToPixel(y) - at.y()) < 1);
        QTest::mouseMove(plotOf(s.chart), at + QPoint(1, 1));
        QTest::mouseMove(plotOf(s.chart), at);
        doubleClick(plotOf(s.chart), at);
        QVERIFY(s.chart.pins().empty()); // two clicks pin nothing
        QVERIFY(s.chart.isFollowing());
    }
    void keys() {
        Shown s;
        QWidget* plot = plotOf(s.chart);
        const Window whole = windowOf(s.chart);
        QTest::keyClick(plot, Qt::Key_Plus);
        QVERIFY(s.chart.xUpper() - s.chart.xLower() < (whole.x1 - whole.x0) * 0.8);
        QTest::keyClick(plot, Qt::Key_Minus);
        QVERIFY(std::abs(s.chart.xUpper() - whole.x1) < 1e-6);
        QTest::keyClick(plot, Qt::Key_Home);
        QVERIFY(s.chart.isFollowing());
        QTest::keyClick(plot, Qt::Key_Left);
        QCOMPARE(s.chart.crosshair(), 1000.0);
        QTest::keyClick(plot, Qt::Key_Left);
        QCOMPARE(s.chart.crosshair(), 999.0);
        QTest::keyClick(plot, Qt::Key_Left, Qt::ShiftModifier);
        QCOMPARE(s.chart.crosshair(), 989.0);
        QTest::keyClick(plot, Qt::Key_Right);
        QCOMPARE(s.chart.crosshair(), 990.0);
        QTest::keyClick(plot, Qt::Key_P);
        QCOMPARE(s.chart.pins(), std::vector<double>{990});
        QTest::keyClick(plot, Qt::Key_L);
        QVERIFY(s.chart.logY());
        QTest::keyClick(plot, Qt::Key_S);
        auto* box = s.chart.findChild<QDoubleSpinBox*>(QStringLiteral("lossChart.smoothingBox"));
        QTRY_VERIFY(box->hasFocus());
        QSignalSpy page(&s.chart, &QatChart::fullPageRequested);
        QTest::keyClick(plot, Qt::Key_F11);
        QCOMPARE(page.count(), 1);
    }
    void crosshairReadsTheData() {
        Shown s;
        addLine(
            s.chart, QStringLiteral("b"), 500, [](int i) { return 10.0 - i * 0.01; }, 1);
        addLine(s.chart, QStringLiteral("hidden"), 1000, wave, 2);
        s.chart.setSeriesVisible(QStringLiteral("hidden"), false);
        s.chart.setSmoothing(0.8);
        s.chart.replotNow();
        QTest::mouseMove(plotOf(s.chart), middle(s.chart) + QPoint(-3, 0));
        QTest::mouseMove(plotOf(s.chart), middle(s.chart));
        const double step = s.chart.crosshair();
        QCOMPARE(step, std::round(step));
        QVERIFY(std::abs(qcp(s.chart).xAxis->coordToPixel(step) - middle(s.chart).x()) <= 1);
        s.chart.setCrosshair(321.3);
        QCOMPARE(s.chart.crosshair(), 321.0); // snapped
        const std::vector<ReadoutRow> rows = s.chart.readout();
        QCOMPARE(rows.size(), 2U);
        QCOMPARE(rows[0].raw, wave(321));
        QCOMPARE(rows[1].raw, 10.0 - 321 * 0.01);
        double sum = 0, norm = 0;
        for (int i = 1; i <= 321; ++i) {
            sum = sum * 0.8 + wave(i);
            norm = norm * 0.8 + 1;
        }
        QVERIFY(std::abs(rows[0].smoothed - sum / norm) < 1e-12);
        s.chart.setReadoutOrder(ReadoutOrder::Highest);
        QCOMPARE(s.chart.readout()[0].id, QStringLiteral("b"));
        auto* panel = s.chart.findChild<QWidget*>(QStringLiteral("lossChart.readout"));
        QVERIFY(panel && panel->isVisible());
        QVERIFY(panel->accessibleDescription().contains(QLocale().toString(wave(321), 'f', 4)));
        s.chart.setCrosshair(kNaN);
        QVERIFY(s.chart.readout().empty() && panel->isHidden());
    }
    void pinsAreFourAtMost() {
        Shown s;
        for (const double step : {100.0, 200.0, 300.0, 400.0, 500.0}) s.chart.togglePin(step);
        QCOMPARE(s.chart.pins(), (std::vector<double>{100, 200, 300, 400}));
        s.chart.togglePin(200);
        QCOMPARE(s.chart.pins(), (std::vector<double>{100, 300, 400}));
        s.chart.setCrosshair(800);
        const QString words = s.chart.findChild<QWidget*>(QStringLiteral("lossChart.readout"))->accessibleDescription();
        const double difference = wave(800) - wave(100);
        QVERIFY2(words.contains(QLocale().toString(std::abs(difference), 'f',
                                                   std::abs(difference) < 0.1 ? 4
                                                   : std::abs(difference) < 1 ? 3
                                                                              : 2)),
                 qPrintable(words));
        QTest::mouseClick(plotOf(s.chart), Qt::LeftButton, {}, middle(s.chart)); // a click at the crosshair pins
        QCOMPARE(s.chart.pins().size(), 4U);
    }
    void chartsOfAGroupMoveTogether() {
        ChartGroup group;
        Shown a, b;
        a.chart.setGroup(&group);
        b.chart.setGroup(&group);
        a.chart.setSmoothing(0.7);
        QCOMPARE(b.chart.smoothing(), 0.7);
        b.chart.setXAxis(ChartX::Time);
        QCOMPARE(a.chart.xAxis(), ChartX::Time);
        group.setXAxis(ChartX::Step);
        QCOMPARE(b.chart.xAxis(), ChartX::Step);
        a.chart.replotNow();
        QTest::mouseMove(plotOf(a.chart), middle(a.chart) + QPoint(5, 5));
        QTest::mouseMove(plotOf(a.chart), middle(a.chart));
        QVERIFY(!std::isnan(a.chart.crosshair()));
        QCOMPARE(b.chart.crosshair(), a.chart.crosshair());
        wheel(plotOf(a.chart), middle(a.chart), 1);
        QVERIFY(!a.chart.isFollowing() && b.chart.isFollowing() && !group.isFollowing());
        wheel(plotOf(b.chart), middle(b.chart), 1);
        a.chart.resetZoom(); // its own zoom, nobody else's
        QVERIFY(a.chart.isFollowing() && !b.chart.isFollowing() && !group.isFollowing());
        group.setFollowing(true);
        QVERIFY(b.chart.isFollowing());
        group.setFollowing(false);
        QVERIFY(!a.chart.isFollowing() && !b.chart.isFollowing());
    }
    void theSameRunHasTheSameColourInThreeCharts() {
        for (const Theme::Choice choice : {Theme::Choice::Light, Theme::Choice::Dark}) {
            Theme::instance().choose(choice);
            QatChart a(QStringLiteral("a")), b(QStringLiteral("b")), c(QStringLiteral("c"));
            for (QatChart* chart : {&a, &b, &c}) {
                if (chart != &a) chart->addSeries(spec(QStringLiteral("other"), 5)); // its place in a chart does not matter
                chart->addSeries(spec(QStringLiteral("run"), 3));
            }
            QCOMPARE(a.colourOf(QStringLiteral("run")), Theme::instance().series(3));
            QCOMPARE(b.colourOf(QStringLiteral("run")), a.colourOf(QStringLiteral("run")));
            QCOMPARE(c.colourOf(QStringLiteral("run")), a.colourOf(QStringLiteral("run")));
        }
        Theme::instance().choose(Theme::Choice::Light);
    }
    void aThemeSwitchChangesTheAxes() {
        Shown s;
        for (const Theme::Choice choice : {Theme::Choice::Light, Theme::Choice::Dark, Theme::Choice::Light}) {
            Theme::instance().choose(choice);
            QCOMPARE(qcp(s.chart).xAxis->tickLabelColor(), Theme::instance().colour(Token::Axis));
            s.chart.replotNow();
            const QImage image = qcp(s.chart).grab().toImage();
            QCOMPARE(image.pixelColor(2, 2), Theme::instance().colour(Token::Base));
        }
    }
    void replotsAreFewAndNoneWhileHidden() {
        Shown s;
        QSignalSpy frames(&qcp(s.chart), &QCustomPlot::afterReplot);
        int next = 1000;
        QTimer points; // far more of them than frames
        connect(&points, &QTimer::timeout, &s.chart, [&] {
            ++next;
            s.chart.append(QStringLiteral("a"), next, wave(next));
        });
        points.start(1);
        QElapsedTimer clock;
        clock.start();
        QTRY_VERIFY(next >= 1200 || clock.elapsed() > 2000);
        points.stop();
        const qint64 most = clock.elapsed() / 33 + 2; // 30 a second
        QVERIFY(next > 1050);
        QVERIFY2(frames.count() <= most, qPrintable(QStringLiteral("%1 of %2").arg(frames.count()).arg(most)));
        QVERIFY(frames.count() >= 2);
        s.chart.hide();
        frames.clear();
        s.chart.append(QStringLiteral("a"), 100000, 1);
        QVERIFY(!frames.wait(80)); // longer than two frames
        s.chart.show();
        QTRY_VERIFY(s.chart.xUpper() >= 100000);
    }
    void pixmapsMatchTheScale_data() {
        QTest::addColumn<double>("scale");
        for (const double scale : {1.0, 1.5, 2.0}) QTest::addRow("%g", scale) << scale;
    }
    void pixmapsMatchTheScale() { // a process of its own: the scale of a screen is set before the application starts
        QFETCH(double, scale);
        if (qEnvironmentVariableIsSet("CHART_SCALE_CHILD")) {
            if (qEnvironmentVariable("CHART_SCALE_CHILD").toDouble() != scale) return;
            Shown s;
            s.chart.repaint();
            QCOMPARE(s.chart.devicePixelRatioF(), scale);
            QCOMPARE(qcp(s.chart).bufferDevicePixelRatio(), scale);
            const QPixmap pixmap = plotOf(s.chart)->grab();
            QCOMPARE(pixmap.devicePixelRatio(), scale);
            QCOMPARE(pixmap.width(), qRound(plotOf(s.chart)->width() * scale));
            return;
        }
        QProcess child;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("QT_SCALE_FACTOR"), QString::number(scale));
        environment.insert(QStringLiteral("CHART_SCALE_CHILD"), QString::number(scale));
        child.setProcessEnvironment(environment);
        child.setProcessChannelMode(QProcess::MergedChannels);
        child.start(QCoreApplication::applicationFilePath(), {QStringLiteral("pixmapsMatchTheScale:%1").arg(scale)});
        QVERIFY(child.waitForFinished(60000));
        QVERIFY2(child.exitCode() == 0, child.readAll().constData());
    }
};

QTEST_MAIN(ChartTest)
#include "tst_chart.moc"
