// SPDX-License-Identifier: GPL-3.0-or-later
// What: time of a chart's frame while panning and zooming, and of new points: 20 series of 50 000 points (performance.md, ui_chart).
// Limits: wall time of a machine that does other work says little, so the thread's processor time stands beside it.
#include "charts/qat_chart.h"
#include "theme/theme.h"

#include <QApplication>
#include <QElapsedTimer>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <random>

using namespace qw::ui;

namespace {

constexpr int kSeries = 20, kPoints = 50000, kFrames = 60;
constexpr double kFrameGateMs = 16, kAppendGateMs = 5;

double cpuMs() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double quantile(std::vector<double> values, double q) {
    std::sort(values.begin(), values.end());
    return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

bool measure(const char* name, double gateMs, int times, const std::function<void(int)>& work) {
    std::vector<double> wall, cpu;
    for (int i = 0; i < times; ++i) {
        QElapsedTimer clock;
        clock.start();
        const double before = cpuMs();
        work(i);
        cpu.push_back(cpuMs() - before);
        wall.push_back(static_cast<double>(clock.nsecsElapsed()) / 1e6);
    }
    const bool ok = quantile(cpu, 0.5) <= gateMs;
    std::printf("%-44s wall p50 %6.2f p95 %7.2f   cpu p50 %6.2f p95 %6.2f ms   gate %4.0f  %s\n", name, quantile(wall, 0.5),
                quantile(wall, 0.95), quantile(cpu, 0.5), quantile(cpu, 0.95), gateMs, ok ? "ok" : "MISSED");
    return ok;
}

} // namespace

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    QApplication::setStyle(QStringLiteral("Fusion"));
    Theme::instance().choose(Theme::Choice::Light);
    QatChart chart(QStringLiteral("benchChart"));
    chart.setTitle(QStringLiteral("loss"));
    chart.resize(1280, 720);
    std::mt19937 random(1);
    std::normal_distribution<double> noise(0, 0.15);
    std::vector<int64_t> steps(kPoints);
    std::vector<double> values(kPoints);
    for (int s = 0; s < kSeries; ++s) {
        SeriesSpec spec;
        spec.id = spec.label = QStringLiteral("run %1").arg(s);
        spec.colour = s;
        for (int i = 0; i < kPoints; ++i) {
            steps[static_cast<size_t>(i)] = i + 1;
            values[static_cast<size_t>(i)] = 2 + 0.05 * s + 3 * std::exp(-i / 6000.0) + noise(random);
        }
        chart.addSeries(spec);
        chart.setPoints(spec.id, steps, values);
    }
    chart.show();
    QApplication::processEvents();
    const auto frame = [&](double x0, double x1) {
        chart.setRange(x0, x1, 1, 6);
        chart.replotNow();
        chart.repaint();
    };
    const auto pan = [&](int i) { frame(100.0 * i, 100.0 * i + 20000); };
    const auto zoom = [&](int i) {
        const double half = 25000 * std::pow(0.88, i);
        frame(25000 - half, 25000 + half);
    };
    bool ok = measure("pan, raw", kFrameGateMs, kFrames, pan);
    ok = measure("zoom 1:1 to 1:2000, raw", kFrameGateMs, kFrames, zoom) && ok;
    chart.setSmoothing(0.6);
    ok = measure("pan, smoothed 0.6 over raw", kFrameGateMs, kFrames, pan) && ok;
    ok = measure("zoom 1:1 to 1:2000, smoothed over raw", kFrameGateMs, kFrames, zoom) && ok;
    chart.setSmoothing(0.99);
    ok = measure("all points, smoothed 0.99 over raw", kFrameGateMs, kFrames, [&](int i) { frame(-i, 50000 + i); }) && ok;
    chart.setCrosshair(25000);
    ok = measure("crosshair with the readout of 20 lines", kFrameGateMs, kFrames,
                 [&](int i) {
                     chart.setCrosshair(20000 + 10 * i);
                     chart.repaint();
                 }) &&
         ok;
    int64_t next = kPoints;
    std::vector<int64_t> fresh(1000);
    std::vector<double> points(1000, 2.0);
    ok = measure("append 1 000 points to one line", kAppendGateMs, kFrames,
                 [&](int) {
                     for (int64_t& step : fresh) step = ++next;
                     chart.append(QStringLiteral("run 0"), fresh, points);
                 }) &&
         ok;
    next = kPoints;
    ok = measure("append 1 000 points, 50 to each line", kAppendGateMs, kFrames,
                 [&](int) {
                     const int64_t from = next;
                     for (int s = 1; s < kSeries; ++s) {
                         next = from;
                         for (int i = 0; i < 50; ++i) chart.append(QStringLiteral("run %1").arg(s), ++next, 2.0);
                     }
                 }) &&
         ok;
    std::printf("%s\n", ok ? "all gates reached" : "a gate was missed");
    return ok ? 0 : 1;
}
