// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench_store.h"

#include "base/clock.h"
#include "base/ids.h"
#include "store/store.h"
#include "wire/event_log.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace qw::cli {
namespace {

constexpr int64_t kSteps = 50'000, kQuickSteps = 2'000;
constexpr int kSeries = 20, kReads = 9;
constexpr double kGateSeconds = 5, kGateMegabytes = 30, kGateReadMs = 30;

// What a training run writes: 12 series of fp32 numbers, 4 that need all 53 bits (learning rates, times), 4 of whole numbers.
double valueOf(int series, int64_t step) {
    const double wave = 3.0 / (1.0 + 1e-3 * static_cast<double>(step)) + 0.05 * std::sin(static_cast<double>(step * (series + 1)) * 0.7);
    if (series < 12) return static_cast<double>(static_cast<float>(wave));
    if (series < 16) return wave * 1e-3;
    return static_cast<double>((step * 7919 + series) % 1'000'003);
}

std::string nameOf(int series) { return "bench.series" + std::to_string(series); }

Status writeLog(const wire::RunFolder& folder, int64_t steps) {
    QW_TRY(auto log, wire::EventLogWriter::open(folder.events()));
    wire::Event event;
    event.run = "bench";
    for (int64_t step = 1; step <= steps; ++step) {
        wire::Metrics metrics;
        metrics.step = step;
        for (int s = 0; s < kSeries; ++s) metrics.values.emplace_back(nameOf(s), valueOf(s, step));
        event.tsMs = 1'767'225'600'000 + step * 137 + step % 5;
        event.payload = std::move(metrics);
        QW_TRY(const int64_t seq, log.append(event));
        if (seq != step) return Error{"engine.internal", "the log counts wrongly", {}, {}, false};
    }
    return log.sync();
}

double seconds(int64_t fromNs) { return static_cast<double>(monotonicNs() - fromNs) * 1e-9; }

// Milliseconds to read one whole series in a front end that has just opened the project.
Result<double> readMs(const std::filesystem::path& project, const std::string& uid, int64_t steps) {
    QW_TRY(const auto store, store::Store::open(project));
    const int64_t begin = monotonicNs();
    QW_TRY(const auto data, store.series(uid, nameOf(3)));
    const double ms = seconds(begin) * 1e3;
    for (int64_t step = 1; step <= steps; ++step)
        if (static_cast<int64_t>(data.step.size()) != steps || data.mean[static_cast<size_t>(step - 1)] != valueOf(3, step))
            return Error{"engine.internal", "the store gave back another series than was written", {}, {}, false};
    return ms;
}

} // namespace

Result<records::BenchResult> benchStoreIngest(const BenchOptions& options, const std::string& /*peerJson*/) {
    const int64_t steps = options.quick ? kQuickSteps : kSteps;
    const auto project = options.scratch / newUlid();
    records::RunIdentity identity;
    identity.name = "bench";
    identity.kind = "train";
    QW_TRY(const auto folder, wire::createRunFolder(project, identity));
    QW_CHECK(writeLog(folder, steps));
    double ingest = 0;
    {
        QW_TRY(auto store, store::Store::open(project));
        const int64_t begin = monotonicNs();
        QW_TRY(const auto report, store.ingestRun(folder));
        ingest = seconds(begin);
        if (report.events != steps) return Error{"engine.internal", "the store counts wrongly", {}, {}, false};
    }
    const double megabytes = static_cast<double>(std::filesystem::file_size(wire::storeFile(project))) * 1e-6;
    std::vector<double> reads;
    for (int i = 0; i < kReads; ++i) {
        QW_TRY(const double ms, readMs(project, identity.uid, steps));
        reads.push_back(ms);
    }
    std::ranges::sort(reads);
    const double read = reads[reads.size() / 2];
    const auto points = static_cast<double>(steps * kSeries);
    records::BenchResult result;
    result.name = "store_ingest";
    result.gate = "1 M points: <= 5 s, <= 30 MB, <= 30 ms to read one series of 50 k";
    result.figures = {{"points", points, ""},
                      {.name = "ingest", .value = ingest, .unit = "s", .most = kGateSeconds},
                      {"rate", points / ingest * 1e-6, "M points/s"},
                      {.name = "store", .value = megabytes, .unit = "MB", .most = kGateMegabytes},
                      {"event log", static_cast<double>(std::filesystem::file_size(folder.events())) * 1e-6, "MB"},
                      {.name = "read one series", .value = read, .unit = "ms", .most = kGateReadMs}};
    std::error_code ignored;
    std::filesystem::remove_all(project, ignored);
    return result;
}

} // namespace qw::cli
