// SPDX-License-Identifier: GPL-3.0-or-later
// What: run folders with known facts, and a store's content as text that does not depend on row ids.
#pragma once

#include "base/files.h"
#include "base/ids.h"
#include "store/store.h"
#include "test_data.h"
#include "wire/event_log.h"
#include "wire/json_events.h"
#include "wire/run_folder.h"

#include <atomic>
#include <fstream>
#include <sqlite3.h>
#include <thread>

namespace qw::test {

constexpr int64_t kSampleSteps = 700;
inline double sampleLoss(int64_t step) { return static_cast<float>(3.0 / (1.0 + 0.01 * static_cast<double>(step))); }

inline records::RunIdentity sampleIdentity() {
    records::RunIdentity identity;
    identity.uid = newUlid();
    identity.name = "sample run";
    identity.kind = "qat";
    identity.role = records::RowRole::Qat;
    identity.scheme = "8da4w";
    identity.key = "key-1";
    identity.seed = 18446744073709551615u;
    identity.tags = {"a", "b"};
    return identity;
}

inline records::EvalResult sampleResult(const std::string& uid, int64_t atStep) {
    records::EvalResult result;
    result.uid = uid;
    result.task = result.kind = "hellaswag";
    result.taskVersion = "1.0";
    result.variant = "quantized";
    result.atStep = atStep;
    result.n = 3;
    result.metrics = {{"acc", 1.0 / 3, 0.25}, {"acc_norm", 2.0 / 3, std::nullopt}};
    result.taskDigest = "digest";
    result.settingsHash = "settings";
    result.settings = "{}";
    return result;
}

inline void append(wire::EventLogWriter& log, wire::Payload payload) {
    static int64_t ms = 1767225600000;
    wire::Event event;
    event.run = "run";
    event.tsMs = ms += 7;
    event.payload = std::move(payload);
    const auto seq = log.append(event);
    if (!seq) qFatal("%s", seq.error().message.c_str());
}

// A fresh run whose log the test writes.
struct OpenRun {
    wire::RunFolder folder;
    std::string uid;
    wire::EventLogWriter log;

    explicit OpenRun(const std::filesystem::path& project) : OpenRun(project, sampleIdentity()) {}

private:
    OpenRun(const std::filesystem::path& project, records::RunIdentity identity)
        : folder(*wire::createRunFolder(project, identity)), uid(identity.uid), log(*wire::EventLogWriter::open(folder.events())) {}
};

inline wire::Metrics sampleMetrics(int64_t step) {
    return {step, {{"train.loss", sampleLoss(step)}, {"train.lr", 1e-3 / static_cast<double>(step)}}, 0, {}};
}

inline void appendMetrics(const wire::RunFolder& folder, int64_t from, int64_t to) {
    auto log = *wire::EventLogWriter::open(folder.events());
    for (int64_t s = from; s <= to; ++s) append(log, sampleMetrics(s));
}

// A finished QAT run with every kind of fact.
inline wire::RunFolder writeSampleRun(const std::filesystem::path& project, int64_t steps = kSampleSteps) {
    records::RunIdentity identity = sampleIdentity();
    const wire::RunFolder folder = *wire::createRunFolder(project, identity);
    std::ofstream(folder.resolvedConfig()) << "{\"recipe\":1}";
    std::filesystem::create_directories(folder.eval());
    std::ofstream items(folder.eval() / "items.jsonl");
    items << wire::toJson(records::EvalItem{0, {-1, -2}, 1, 1, 0, 0, 3}) << '\n';
    items << wire::toJson(records::EvalItem{1, {-1, -2}, 0, 1, 0, 0, 3}) << '\n';
    items << wire::toJson(records::EvalItem{2, {-1.5, -0.1 / 3}, 0, 0, 0, 0, 3}) << '\n';
    items.close();
    auto log = *wire::EventLogWriter::open(folder.events());
    append(log, wire::StateChange{records::RunState::Starting, {}, {}});
    append(log, wire::Attempt{1, "host", "cpu", "2.11.0", "build", 77, 0, 2, true});
    wire::ModelFacts facts;
    facts.path = "/m";
    facts.arch = "llama";
    facts.fingerprint = "f00d";
    facts.parameters = 1000;
    facts.bytes = 4000;
    facts.quantizedBytes = 4242;
    facts.totalSteps = steps;
    facts.layers = {{"layers.0.q", 32, 64, "int4 g32 sym", "", 5.0},
                    {"layers.0.k", 32, 30, "", "group size 32 does not divide 30 columns", 16.0}};
    append(log, facts);
    append(log, wire::StateChange{records::RunState::Running, "train", {}});
    for (int64_t s = 1; s <= steps; ++s) {
        append(log, sampleMetrics(s));
        if (s % 10 == 0)
            append(log, wire::LayerStats{s, "layers.0.q", {{"w_sqnr", 30.25}, {"clip_frac", 0.1 * static_cast<double>(s % 7)}}, 0, {}});
        if (s % 100 == 0) append(log, wire::Progress{"train", "steps", s, steps, 1.5});
    }
    append(log, wire::CheckpointSaved{steps, 123456, "checkpoints/step_" + std::to_string(steps), true});
    append(log, wire::Notice{false, "telemetry.throttled", "statistics cost too much", {}, {}});
    auto result = sampleResult("RESULT-" + identity.uid, -1);
    result.itemsPath = "eval/items.jsonl";
    append(log, wire::EvalDone{result});
    append(log, wire::Artifact{"native", "exports/native", "abc", "{\"bits\":4}", 4242, -1});
    append(log, wire::StateChange{records::RunState::Completed, {}, {}});
    append(log, wire::Bye{0, "done"});
    return folder;
}

// Every row of every table, references by uid or name, leases and row ids left out.
inline std::string dumpStore(const std::filesystem::path& project) {
    static const std::vector<std::string> queries{
        "SELECT uid, name, notes, tags, created_ms, archived, dir, rows_stamp FROM experiment ORDER BY uid",
        "SELECT uid, path, arch, params, bytes, fingerprint, info, added_ms FROM model ORDER BY uid",
        "SELECT r.uid, e.uid, p.uid, r.kind, r.name, r.dir, r.state, r.scheme, m.uid, r.config, r.config_hash, r.env, r.seed, r.bitwise, "
        "r.created_ms, r.started_ms, "
        "r.ended_ms, r.step, r.total_steps, r.exit_code, r.error, r.ingest_seq, r.ingest_offset, r.ingest_start, r.ingest_crc, r.lost, "
        "r.lost_error, r.phase, r.role, r.method, r.block, r.key, r.model_path, r.parent_uid, "
        "r.build_id, r.facts, r.last_event_ms, r.identity_stamp, r.tags, r.notes, r.colour FROM run AS r JOIN experiment AS e ON "
        "e.id=r.experiment_id "
        "LEFT JOIN run AS p ON p.id=r.parent_id LEFT JOIN model AS m ON m.id=r.model_id ORDER BY r.uid",
        "SELECT * FROM study_row ORDER BY study_uid, role, scheme, method, block, seed",
        "SELECT r.uid, a.* FROM run_attempt AS a JOIN run AS r ON r.id=a.run_id ORDER BY r.uid, attempt",
        "SELECT r.uid, d.name, h.step, h.ts_ms, h.value FROM metric_hot AS h JOIN run AS r ON r.id=h.run_id JOIN metric_def AS d ON "
        "d.id=h.metric_id ORDER BY r.uid, d.name, h.step",
        "SELECT r.uid, d.name, c.level, c.chunk, c.n, c.step0, c.step1, c.ts0, c.ts1, c.vmin, c.vmax, c.vsum, c.nonfinite, c.enc, "
        "hex(c.data) FROM metric_chunk AS c "
        "JOIN run AS r ON r.id=c.run_id JOIN metric_def AS d ON d.id=c.metric_id ORDER BY r.uid, d.name, c.level, c.chunk",
        "SELECT r.uid, d.name, l.step, l.value, l.vmin, l.vmin_step, l.vmax, l.vmax_step, l.n FROM metric_last AS l JOIN run AS r ON "
        "r.id=l.run_id "
        "JOIN metric_def AS d ON d.id=l.metric_id ORDER BY r.uid, d.name",
        "SELECT r.uid, l.ord, l.name, l.rows, l.cols, l.scheme, l.skip_reason, l.bits_per_weight FROM layer AS l JOIN run AS r ON "
        "r.id=l.run_id ORDER BY r.uid, l.name",
        "SELECT r.uid, l.name, d.name, s.chunk, s.step0, s.step1, s.n, hex(s.data) FROM layer_stat AS s JOIN run AS r ON r.id=s.run_id "
        "JOIN layer AS l ON l.id=s.layer_id "
        "JOIN metric_def AS d ON d.id=s.kind ORDER BY r.uid, l.name, d.name, s.chunk",
        "SELECT r.uid, x.uid, x.at_step, x.variant, x.task, x.lim, x.metric, x.value, x.stderr, x.n, x.config_hash, x.task_digest, "
        "x.detail_path FROM eval_result AS x "
        "JOIN run AS r ON r.id=x.run_id ORDER BY r.uid, x.uid, x.metric",
        "SELECT x.uid, i.item, i.correct, i.correct_norm, hex(i.ll), i.words, i.bytes, i.tokens FROM eval_item AS i JOIN eval_result AS x "
        "ON x.id=i.result_id ORDER BY x.uid, i.item",
        "SELECT r.uid, a.kind, a.path, a.step, a.bytes, a.hash, a.info, a.created_ms FROM artifact AS a JOIN run AS r ON r.id=a.run_id "
        "ORDER BY r.uid, a.path",
        "SELECT r.uid, v.seq, v.ts_ms, v.level, v.kind, v.body FROM event AS v JOIN run AS r ON r.id=v.run_id ORDER BY r.uid, v.seq",
    };
    sqlite3* db = nullptr;
    std::string out;
    if (sqlite3_open_v2(wire::storeFile(project).c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) return "cannot open";
    for (const std::string& sql : queries) {
        out += sql.substr(sql.find("FROM"), 20) + "\n";
        const auto print = [](void* into, int n, char** values, char**) {
            for (int i = 0; i < n; ++i) *static_cast<std::string*>(into) += std::string(values[i] ? values[i] : "NULL") + "|";
            *static_cast<std::string*>(into) += "\n";
            return 0;
        };
        char* message = nullptr;
        if (sqlite3_exec(db, sql.c_str(), print, &out, &message) != SQLITE_OK) out += std::string("ERROR ") + message;
    }
    sqlite3_close(db);
    return out;
}

} // namespace qw::test
