// SPDX-License-Identifier: GPL-3.0-or-later
// What: runs that grow: real folders and logs with known curves, with an "engine" that holds run.lock, for tests of what is live.
#pragma once

#include "base/ids.h"
#include "test_data.h"
#include "wire/event_log.h"
#include "wire/json_events.h"
#include "wire/run_folder.h"

#include <cmath>
#include <optional>

namespace qw::test {

inline double liveLoss(int64_t step) { return 3.0 / (1.0 + 0.01 * static_cast<double>(step)); }

inline wire::Metrics liveMetrics(int64_t step) {
    const auto s = static_cast<double>(step);
    return {step,
            {{"train.loss", liveLoss(step)},
             {"train.lr", 1e-3},
             {"train.grad_norm", 1 + 0.1 * std::sin(s)},
             {"train.fake_quant", step > 10 ? 1.0 : 0.0},
             {"perf.tokens_per_s", 2000.0},
             {"time.total", 100 + s}},
            0,
            {}};
}

// A run whose log this process writes; while locked, the store takes its engine for alive.
struct GrowingRun {
    wire::RunFolder folder;
    QString uid;
    std::optional<wire::EventLogWriter> log;
    std::optional<wire::RunLock> lock;
    int64_t step = 0;

    GrowingRun(const std::filesystem::path& project, const std::string& name, int64_t totalSteps, const std::string& study = {},
               const std::string& config = {}) {
        records::RunIdentity identity;
        identity.uid = newUlid();
        identity.name = name;
        identity.kind = "qat";
        identity.role = records::RowRole::Qat;
        identity.scheme = "8da4w";
        identity.key = identity.uid;
        identity.studyUid = study;
        folder = *wire::createRunFolder(project, identity);
        uid = QString::fromStdString(identity.uid);
        writeText(folder.resolvedConfig(), config.empty() ? std::string("{\"recipe\":1,\"watchdog\":{\"nonfinite\":\"skip\"}}") : config);
        lock.emplace(*wire::takeRunLock(folder));
        log.emplace(*wire::EventLogWriter::open(folder.events()));
        append(wire::StateChange{records::RunState::Starting, {}, {}});
        append(wire::Attempt{1, "host", "cpu", "2.11.0", "build", 77, 0, 2, true});
        wire::ModelFacts facts;
        facts.arch = "llama";
        facts.totalSteps = totalSteps;
        facts.bitsPerWeight = 5;
        facts.layers = {{"layers.0.q", 32, 64, "int4 g32 sym", "", 5.0},
                        {"layers.0.k", 32, 30, "", "group size 32 does not divide 30 columns", 16.0}};
        append(facts);
        append(wire::StateChange{records::RunState::Running, "train", {}});
    }
    int64_t append(const wire::Payload& payload) {
        wire::Event event;
        event.run = uid.toStdString();
        event.tsMs = 1767225600000 + 50 * (log->lastSeq() + 1);
        event.payload = payload;
        const auto seq = log->append(event);
        if (!seq) qFatal("%s", seq.error().message.c_str());
        return *seq;
    }
    void train(int64_t steps) {
        for (int64_t i = 0; i < steps; ++i) {
            append(liveMetrics(++step));
            if (step % 5 == 0)
                append(wire::LayerStats{step,
                                        step % 10 == 0 ? "layers.0.q" : "layers.0.v",
                                        {{"w_sqnr", 20 + std::cos(static_cast<double>(step))}, {"clip_frac", 0.01}},
                                        0,
                                        {}});
        }
        static_cast<void>(log->flush());
    }
    void die() { // as kill -9 would leave it
        static_cast<void>(log->flush());
        log.reset();
        lock.reset();
    }
    void finish() {
        append(wire::StateChange{records::RunState::Completed, {}, {}});
        append(wire::Bye{0, "done"});
        die();
    }
};

} // namespace qw::test
