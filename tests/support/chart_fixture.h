// SPDX-License-Identifier: GPL-3.0-or-later
// What: charts with known lines, and the gestures of a user on their plots.
#pragma once

#include "charts/qat_chart.h"

#include <QApplication>
#include <QWheelEvent>
#include <QtTest>
#include <cmath>
#include <vector>

namespace chartfix {

inline qw::ui::SeriesSpec spec(const QString& id, int colour = 0) {
    qw::ui::SeriesSpec s;
    s.id = id;
    s.label = QStringLiteral("run ") + id;
    s.colour = colour;
    s.tokensPerStep = 100;
    return s;
}

// Steps 1 to count, one second each; value(step).
template<typename F> void addLine(qw::ui::QatChart& chart, const QString& id, int count, F value, int colour = 0) {
    std::vector<int64_t> steps, times;
    std::vector<double> values;
    for (int i = 1; i <= count; ++i) {
        steps.push_back(i);
        times.push_back(1700000000000 + 1000 * i);
        values.push_back(value(i));
    }
    chart.addSeries(spec(id, colour));
    chart.setPoints(id, steps, values, times);
}

inline double wave(int step) { return 3 + std::sin(step * 0.05) + 0.5 * std::cos(step * 1.7); }

inline QWidget* plotOf(const qw::ui::QatChart& chart) { return chart.findChild<QWidget*>(chart.objectName() + QStringLiteral(".plot")); }

inline void wheel(QWidget* plot, const QPointF& at, int turns) {
    QWheelEvent event(at, plot->mapToGlobal(at), {}, {0, 120 * turns}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(plot, &event);
}

inline void drag(QWidget* plot, const QPoint& from, const QPoint& to, Qt::KeyboardModifiers modifiers = {}) {
    QTest::mousePress(plot, Qt::LeftButton, modifiers, from);
    for (int i = 1; i <= 4; ++i) QTest::mouseMove(plot, from + (to - from) * i / 4);
    QTest::mouseRelease(plot, Qt::LeftButton, modifiers, to);
}

// As a hand does it: the first click of the two is a click.
inline void doubleClick(QWidget* widget, const QPoint& at) {
    QTest::mouseClick(widget, Qt::LeftButton, {}, at);
    QTest::mouseDClick(widget, Qt::LeftButton, {}, at);
    QTest::mouseRelease(widget, Qt::LeftButton, {}, at);
}

struct Window {
    double x0, x1, y0, y1;
    bool operator==(const Window&) const = default;
};
inline Window windowOf(const qw::ui::QatChart& chart) { return {chart.xLower(), chart.xUpper(), chart.yLower(), chart.yUpper()}; }

} // namespace chartfix
