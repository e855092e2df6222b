// SPDX-License-Identifier: GPL-3.0-or-later
// What: what stands behind a chart's picture: points, thinning to columns, the window on the data, the table.
#include "charts/chart_data.h"
#include "charts/chart_range.h"
#include "charts/chart_table_model.h"
#include "charts/column_canvas.h"
#include "charts/curve_columns.h"

#include <QAbstractItemModelTester>
#include <QtTest>
#include <cmath>
#include <numeric>

using namespace qw::ui;
namespace stats = qw::stats;

namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<int64_t> steps(size_t count, int64_t from = 1) {
    std::vector<int64_t> out(count);
    std::iota(out.begin(), out.end(), from);
    return out;
}

SeriesSpec spec(const QString& id) {
    SeriesSpec s;
    s.id = s.label = id;
    return s;
}

void add(ChartData& data, const QString& id, const std::vector<double>& values, const QString& group = {}) {
    SeriesSpec s = spec(id);
    s.group = group;
    data.addSeries(s);
    data.setPoints(id, steps(values.size()), values, {});
}

PixelMap mapFor(double x0, double x1, double y0, double y1, double width, double height, bool log = false) {
    PixelMap map;
    map.xLower = x0;
    map.xUpper = x1;
    map.yLower = y0;
    map.yUpper = y1;
    map.width = width;
    map.height = height;
    map.log = log;
    map.prepare();
    return map;
}

} // namespace

class ChartLinesTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void oneSpikeOfAMillionSurvives_data() {
        QTest::addColumn<int>("width");
        for (const int width : {1, 2, 37, 256, 999, 1920, 7680}) QTest::addRow("%d pixels", width) << width;
    }
    void oneSpikeOfAMillionSurvives() {
        QFETCH(int, width);
        static ChartData data;
        if (!data.has(QStringLiteral("a"))) {
            std::vector<double> values(1000000, 0.5);
            values[654321] = 10;
            values[123456] = -10;
            add(data, QStringLiteral("a"), values);
        }
        const ChartCurve& curve = data.curves().front();
        const PixelMap map = mapFor(0, 1000001, -10, 10, width, 400);
        std::vector<ColumnSpan> spans;
        computeColumns(curve, *curve.line, Values::Raw, ChartX::Step, map, spans);
        QCOMPARE(spans.size(), static_cast<size_t>(width));
        const size_t high = static_cast<size_t>(map.px(654322)), low = static_cast<size_t>(map.px(123457));
        QCOMPARE(spans[high].top, 0.F);
        QCOMPARE(spans[low].bottom, 400.F);
        for (size_t c = 0; c < spans.size(); ++c) {
            QVERIFY(!spans[c].empty());
            if (c != high && width > 2) QVERIFY(spans[c].top > 100);
        }
        double top = 1e9; // the strokes of a page keep it too
        for (const QPolygonF& line : computePolylines(curve, *curve.line, Values::Raw, ChartX::Step, map, width))
            for (const QPointF& p : line) top = std::min(top, p.y());
        QCOMPARE(top, 0.0);
        ColumnCanvas canvas;
        canvas.begin(width, 400);
        canvas.stroke(spans, Qt::black, 1.5);
        QVERIFY(qAlpha(canvas.image().pixel(static_cast<int>(high), 1)) > 200);
    }
    void columnsEqualALoop() {
        ChartData data;
        std::vector<double> values;
        for (int i = 0; i < 20000; ++i) values.push_back(std::sin(i * 0.37) * (1 + i % 13) + (i % 501 == 0 ? kNaN : 0));
        add(data, QStringLiteral("a"), values);
        const ChartCurve& curve = data.curves().front();
        const PixelMap map = mapFor(3000, 17000, -20, 20, 300, 500);
        std::vector<ColumnSpan> spans;
        computeColumns(curve, *curve.line, Values::Raw, ChartX::Step, map, spans);
        std::vector<double> top(300, 1e9), bottom(300, -1e9);
        for (size_t i = 0; i < values.size(); ++i) {
            const double px = map.px(static_cast<double>(i + 1)), py = map.py(values[i]);
            if (px < 0 || px >= 300 || std::isnan(py)) continue;
            top[static_cast<size_t>(px)] = std::min(top[static_cast<size_t>(px)], py);
            bottom[static_cast<size_t>(px)] = std::max(bottom[static_cast<size_t>(px)], py);
        }
        for (size_t c = 0; c < 300; ++c) { // joins to the next column may reach further, never less far
            QVERIFY(static_cast<double>(spans[c].top) <= top[c] + 0.01);
            QVERIFY(static_cast<double>(spans[c].bottom) >= bottom[c] - 0.01);
            QVERIFY(static_cast<double>(spans[c].top) > top[c] - 120);
        }
    }
    void nothingIsJoinedAcrossWhatIsNoNumber_data() {
        QTest::addColumn<double>("gap");
        QTest::addColumn<bool>("log");
        QTest::newRow("NaN") << kNaN << false;
        QTest::newRow("infinite") << std::numeric_limits<double>::infinity() << false;
        QTest::newRow("zero on a logarithmic axis") << 0.0 << true;
    }
    void nothingIsJoinedAcrossWhatIsNoNumber() {
        QFETCH(double, gap);
        QFETCH(bool, log);
        ChartData data;
        add(data, QStringLiteral("a"), {1, 1, gap, 9, 9});
        const ChartCurve& curve = data.curves().front();
        const PixelMap map = mapFor(1, 5, 0.5, 10, 100, 100, log);
        std::vector<ColumnSpan> spans;
        computeColumns(curve, *curve.line, Values::Raw, ChartX::Step, map, spans);
        QVERIFY(!spans[20].empty());
        for (size_t c = 27; c < 74; ++c) QVERIFY(spans[c].empty());
        QVERIFY(!spans[80].empty());
        QCOMPARE(computePolylines(curve, *curve.line, Values::Raw, ChartX::Step, map, 100).size(), 2U);
    }
    void smoothedPointsFollowCutsAndGrowth() {
        ChartSeries grown, whole;
        grown.setSmoothing(0.9);
        std::vector<double> values;
        for (int i = 0; i < 2000; ++i) values.push_back(std::cos(i * 0.1) + (i % 50 == 7 ? kNaN : 0));
        const std::vector<int64_t> all = steps(values.size());
        for (size_t i = 0; i < values.size(); i += 100)
            grown.append(std::span(all).subspan(i, 100), std::span(values).subspan(i, 100), {}, 0);
        const std::vector<double> wrong(300, 5);
        grown.append(steps(300, 1901), wrong, {}, 0); // a run that went on wrongly and was resumed
        grown.append(std::span(all).subspan(1700), std::span(values).subspan(1700), {}, 0);
        whole.append(all, values, {}, 0);
        whole.setSmoothing(0.9);
        QCOMPARE(grown.size(), whole.size());
        QCOMPARE(grown.nanCount(), whole.nanCount());
        QCOMPARE(grown.notPositive(), whole.notPositive());
        const std::vector<double> closed = stats::ema(values, 0.9);
        for (size_t i = 0; i < values.size(); ++i) {
            const double a = grown.values(Values::Smoothed)[i], b = whole.values(Values::Smoothed)[i];
            QVERIFY((std::isnan(a) && std::isnan(b) && std::isnan(closed[i])) || (a == b && b == closed[i]));
        }
        QVERIFY(grown.extent(Values::Smoothed, 0, 2000) == whole.extent(Values::Smoothed, 0, 2000));
    }
    void axesOfX() {
        ChartSeries line;
        const std::vector<double> values{1, 2, 3};
        const std::vector<int64_t> at{10, 20, 30}, ms{5000, 6500, 6000}; // the clock was set back
        line.append(at, values, ms, 5000);
        QCOMPARE(line.x(1, ChartX::Step, 0), 20.0);
        QCOMPARE(line.x(1, ChartX::Tokens, 4096), 81920.0);
        QCOMPARE(line.x(1, ChartX::Time, 0), 1.5);
        QCOMPARE(line.x(2, ChartX::Time, 0), 1.5);
        QVERIFY(!line.hasAxis(ChartX::Tokens, 0));
        QCOMPARE(line.nearest(24.9, ChartX::Step, 0), 1U);
        QCOMPARE(line.nearest(25.1, ChartX::Step, 0), 2U);
        QCOMPARE(line.nearest(1e9, ChartX::Tokens, 4096), 2U);
        line.append(steps(1, 40), std::vector<double>{4}, {}, 0); // no time known: no axis of time
        QVERIFY(!line.hasAxis(ChartX::Time, 0));
    }
    void seedsBecomeOneLine() {
        ChartData data;
        add(data, QStringLiteral("a"), {1, 2, 3}, QStringLiteral("g"));
        add(data, QStringLiteral("b"), {3, 4, 5}, QStringLiteral("g"));
        add(data, QStringLiteral("c"), {7, 7, 7});
        QCOMPARE(data.curves().size(), 3U);
        data.setSeedBands(SeedBands::MinMax);
        QCOMPARE(data.curves().size(), 2U);
        const ChartCurve* mean = data.curve(QStringLiteral("group:g"));
        QVERIFY(mean);
        QCOMPARE(mean->members, 2);
        QCOMPARE(mean->line->values(Values::Raw), (std::vector<double>{2, 3, 4}));
        QCOMPARE(mean->low->values(Values::Raw), (std::vector<double>{1, 2, 3}));
        QCOMPARE(data.yExtent(0, 10).min, 1.0);
        data.append(QStringLiteral("b"), steps(1, 4), std::vector<double>{9}, {});
        QCOMPARE(data.curve(QStringLiteral("group:g"))->line->values(Values::Raw).back(), 9.0);
        data.setSmoothing(0.5);
        const ChartCurve* smooth = data.curve(QStringLiteral("group:g"));
        for (size_t i = 0; i < smooth->line->size(); ++i) {
            QVERIFY(smooth->low->values(Values::Smoothed)[i] <= smooth->line->values(Values::Smoothed)[i]);
            QVERIFY(smooth->line->values(Values::Smoothed)[i] <= smooth->high->values(Values::Smoothed)[i]);
        }
        data.setSeedBands(SeedBands::Off);
        QCOMPARE(data.curves().size(), 3U);
    }
    void aZoomIsNeverReset() {
        ChartRange range;
        range.fit({0, 10, 0, 1});
        QVERIFY(range.isFollowing());
        range.zoom({2, 4, 0, 1}, 1);
        range.zoom({3, 4, 0, 1}, 1); // the same turn of the wheel
        range.zoom({3, 3.5, 0, 1}, 2);
        const ChartWindow zoomed = range.window();
        range.fit({0, 100, -5, 5});
        QVERIFY(range.window() == zoomed);
        range.back({0, 100, -5, 5});
        QVERIFY((range.window() == ChartWindow{3, 4, 0, 1}));
        range.back({0, 100, -5, 5});
        QVERIFY(range.isFollowing());
        QVERIFY((range.window() == ChartWindow{0, 100, -5, 5}));
        range.zoom({1, 1, 0, 1}, 3); // no width: refused
        range.zoom({1, kNaN, 0, 1}, 4);
        QVERIFY(range.isFollowing());
    }
    void zoomsAndPansKeepTheirPlace() {
        const ChartWindow w = ChartRange::scaled({0, 100, 1, 1000}, 0.5, 0.5, 0.25, 0.5, true);
        QCOMPARE(w.xLower, 12.5);
        QCOMPARE(w.xUpper, 62.5);
        QVERIFY(std::abs(std::sqrt(w.yLower * w.yUpper) - std::sqrt(1000.0)) < 1e-9); // the middle of a logarithmic axis
        const ChartWindow moved = ChartRange::moved({0, 10, 0, 10}, 0.1, -0.2, false);
        QVERIFY((moved == ChartWindow{1, 11, -2, 8}));
        ChartWindow flat{0, 1, 3, 3};
        ChartRange::padY(flat, false);
        QVERIFY(flat.yLower < 3 && flat.yUpper > 3);
        ChartWindow nothing{0, 1, INFINITY, -INFINITY};
        ChartRange::padY(nothing, true);
        QVERIFY(nothing.yLower > 0 && nothing.yUpper > nothing.yLower);
    }
    void tableHoldsThePoints() {
        ChartData data;
        ChartTableModel model(data);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        add(data, QStringLiteral("a, \"b\""), {1, kNaN, 0.1});
        data.addSeries(spec(QStringLiteral("late")));
        data.setPoints(QStringLiteral("late"), steps(2, 3), std::vector<double>{7, 8}, {});
        model.rebuild(-1e300, 1e300, true);
        QCOMPARE(model.rowCount(), 4);
        QCOMPARE(model.columnCount(), 3);
        QCOMPARE(model.csv(), QByteArray("step,\"a, \"\"b\"\"\",\"late\"\n1,1,\n2,nan,\n3,0.1,7\n4,,8\n"));
        QCOMPARE(model.index(2, 2).data(ChartTableModel::SortRole).toDouble(), 7.0);
        QVERIFY(!model.index(0, 2).data().isValid());
        model.rebuild(2, 3, true);
        QCOMPARE(model.rowCount(), 2);
        data.setSmoothing(0.5);
        data.setVisible(QStringLiteral("late"), false);
        model.rebuild(2, 3, true);
        QCOMPARE(model.columnCount(), 3); // raw and smoothed of the one that is shown
    }
};

QTEST_GUILESS_MAIN(ChartLinesTest)
#include "tst_chart_lines.moc"
