// SPDX-License-Identifier: GPL-3.0-or-later
// What: milliseconds from the window program's start to its first painted frame, with an empty store and with 200 runs.
// Gates: 300 ms and 600 ms (performance.md 10); figures are medians, printed with their range.
#include "runs_fixture.h"

#include <QProcess>
#include <QTextStream>
#include <algorithm>

namespace {

constexpr int kStarts = 9, kRuns = 200;

std::vector<double> starts(const QString& project, const QString& settings) {
    std::vector<double> times;
    for (int i = 0; i < kStarts; ++i) {
        QProcess window;
        window.setProcessChannelMode(QProcess::SeparateChannels);
        window.start(QStringLiteral(QW_BIN_DIR "/qat-workbench"),
                     {QStringLiteral("--measure-start"), QStringLiteral("--settings"), settings, QStringLiteral("--project"), project});
        if (!window.waitForFinished(60'000) || window.exitCode() != 0) return {};
        times.push_back(window.readAllStandardOutput().trimmed().toDouble());
    }
    std::sort(times.begin(), times.end());
    return times;
}

bool report(const char* what, const std::vector<double>& times, double gate) {
    QTextStream out(stdout);
    if (times.empty()) {
        out << "ui_cold_start " << what << ": the window did not start\n";
        return false;
    }
    const double median = times[times.size() / 2];
    out << "ui_cold_start " << what << ": " << median << " ms (" << times.front() << " to " << times.back() << ", " << times.size()
        << " starts); gate " << gate << " ms: " << (median <= gate ? "met" : "MISSED") << '\n';
    return true;
}

} // namespace

int main(int argc, char** argv) {
    const QCoreApplication app(argc, argv);
    const qw::test::TempDir dir;
    const auto file = [&](const char* name) { return QString::fromStdString((dir.path() / name).string()); };
    for (int i = 0; i < kRuns; ++i)
        qw::test::writeRun(dir.path() / "full", {std::string("run ").append(std::to_string(i)), qw::records::RowRole::Qat,
                                                 std::string("s").append(std::to_string(i % 7))});
    {
        auto store = qw::store::Store::open(dir.path() / "full"); // projected before, as a project that was used is
        if (!store || !store->sync()) return 1;
        if (!qw::store::Store::open(dir.path() / "empty")) return 1;
    }
    const bool ran =
        report("empty", starts(file("empty"), file("a.ini")), 300) & report("200 runs", starts(file("full"), file("b.ini")), 600);
    return ran ? 0 : 1;
}
