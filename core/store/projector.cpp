// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/projector.h"

#include "base/files.h"
#include "store/store_state.h"
#include "wire/json_events.h"

#include <array>

namespace qw::store {
namespace {

// What a person reads of a run; metrics, statistics, progress and heartbeats are not events of interest one by one.
bool isTold(const wire::Payload& p) {
    if (const auto* line = std::get_if<wire::LogLine>(&p)) return line->level >= 1;
    return !std::holds_alternative<wire::Metrics>(p) && !std::holds_alternative<wire::LayerStats>(p) &&
           !std::holds_alternative<wire::Progress>(p) && !std::holds_alternative<wire::Heartbeat>(p) &&
           !std::holds_alternative<wire::ModelFacts>(p);
}

int levelOf(const wire::Payload& p) {
    if (const auto* line = std::get_if<wire::LogLine>(&p)) return line->level;
    if (const auto* notice = std::get_if<wire::Notice>(&p)) return notice->isError ? 3 : 2;
    return 1;
}

} // namespace

Status Projector::apply(Database& db, const LoggedEvent& logged) {
    if (isTold(logged.event.payload))
        QW_CHECK(eventRow(db, logged, levelOf(logged.event.payload), wire::eventName(logged.event.payload),
                          wire::payloadJson(logged.event.payload)));
    QW_CHECK(std::visit([&](const auto& payload) { return put(db, logged, payload); }, logged.event.payload));
    if (logged.event.tsMs > 0) m_lastEventMs = logged.event.tsMs;
    if (logged.itemsProblem.empty()) return {};
    // Told in the row of the result itself, because a row has its record's number.
    const wire::Notice notice{
        false, "data.unreadable", logged.itemsProblem, "the result is kept without items, so nothing paired can be said about it", {}};
    return db.run("UPDATE event SET level=2, kind='warning', body=? WHERE run_id=? AND seq=?",
                  {wire::payloadJson(notice), m_run, logged.seq});
}

Status Projector::save(Database& db) {
    for (auto& [id, writer] : m_series) QW_CHECK(writer.save(db));
    for (auto& [id, writer] : m_layerSeries) QW_CHECK(writer.save(db));
    if (m_lastEventMs > 0) QW_CHECK(db.run("UPDATE run SET last_event_ms=? WHERE id=?", {std::exchange(m_lastEventMs, 0), m_run}));
    if (m_step >= 0) QW_CHECK(db.run("UPDATE run SET step=? WHERE id=?", {std::exchange(m_step, -1), m_run}));
    return {};
}

Status Projector::clear(Database& db, int64_t runId) {
    static constexpr std::array kTables{"metric_hot",  "metric_chunk", "metric_last", "layer_stat", "layer",
                                        "eval_result", "artifact",     "event",       "run_attempt"};
    for (const char* table : kTables) QW_CHECK(db.run(("DELETE FROM " + std::string(table) + " WHERE run_id=?").c_str(), {runId}));
    return db.run(
        "UPDATE run SET state='created', phase='', model_id=NULL, facts=NULL, env='{}', bitwise=1, started_ms=NULL, ended_ms=NULL, step=0, "
        "total_steps=NULL, exit_code=NULL, error=NULL, last_event_ms=0, "
        "lost=NULL, lost_error=NULL, ingest_seq=0, ingest_offset=0, ingest_start=0, ingest_crc=0 WHERE id=?",
        {runId});
}

Status Projector::eventRow(Database& db, const LoggedEvent& e, int level, const std::string& kind, const std::string& body) {
    return db.run("INSERT INTO event(run_id, seq, ts_ms, level, kind, body) VALUES(?,?,?,?,?,?)",
                  {m_run, e.seq, e.event.tsMs, level, kind, body});
}

Status Projector::put(Database& db, const LoggedEvent& e, const wire::StateChange& p) {
    const bool running = p.state == records::RunState::Running;
    return db.run("UPDATE run SET state=?1, phase=?2, started_ms=CASE WHEN ?3 THEN coalesce(started_ms, ?4) ELSE started_ms END, "
                  "ended_ms=?5 WHERE id=?6",
                  {records::stateName(p.state), p.phase, running, e.event.tsMs,
                   records::isEnded(p.state) ? std::optional(e.event.tsMs) : std::nullopt, m_run});
}

Status Projector::put(Database& db, const LoggedEvent& e, const wire::Attempt& p) {
    QW_CHECK(cutFrom(db, p.fromStep));
    // The attempt before this one may have ended without a word.
    QW_CHECK(db.run("UPDATE run_attempt SET ended_ms=(SELECT last_event_ms FROM run WHERE id=?1), to_step=(SELECT step FROM run WHERE "
                    "id=?1), reason='interrupted' "
                    "WHERE run_id=?1 AND ended_ms IS NULL",
                    {m_run}));
    QW_CHECK(db.run("INSERT OR REPLACE INTO run_attempt(run_id, attempt, host, pid, from_step, started_ms) VALUES(?,?,?,?,?,?)",
                    {m_run, p.attempt, p.host, p.pid, p.fromStep, e.event.tsMs}));
    return db.run("UPDATE run SET env=?, bitwise=min(bitwise, ?), exit_code=NULL, error=NULL, ended_ms=NULL WHERE id=?",
                  {wire::payloadJson(p), p.bitwise, m_run});
}

Status Projector::cutFrom(Database& db, int64_t step) {
    std::vector<int64_t> metrics;
    std::vector<std::pair<int64_t, int64_t>> layers;
    // Buffered points first: what is not saved yet cannot be found in the tables.
    QW_CHECK(save(db));
    QW_CHECK(db.query("SELECT metric_id FROM metric_last WHERE run_id=? AND step>=?", {m_run, step},
                      [&](const Row& row) { metrics.push_back(row.integer(0)); }));
    for (const int64_t metric : metrics) {
        QW_TRY(SeriesWriter * writer, series(db, metric));
        QW_CHECK(writer->cut(db, step));
    }
    QW_CHECK(db.query("SELECT DISTINCT layer_id, kind FROM layer_stat WHERE run_id=? AND step1>=?", {m_run, step},
                      [&](const Row& row) { layers.emplace_back(row.integer(0), row.integer(1)); }));
    for (const auto& [layer, kind] : layers) {
        QW_TRY(LayerWriter * writer, layerSeries(db, layer, kind));
        QW_CHECK(writer->cut(db, step));
    }
    return db.run("DELETE FROM eval_result WHERE run_id=? AND at_step>=?", {m_run, step});
}

Status Projector::put(Database& db, const LoggedEvent& e, const wire::ModelFacts& p) {
    wire::ModelFacts facts = p;
    facts.layers.clear();
    const std::string json = wire::payloadJson(facts);
    if (!p.fingerprint.empty())
        QW_CHECK(db.run(
            "INSERT OR IGNORE INTO model(uid, path, arch, params, bytes, fingerprint, info, added_ms) VALUES(?1,?2,?3,?4,?5,?1,'{}',?6)",
            {p.fingerprint, p.path, p.arch, p.parameters, p.bytes, e.event.tsMs}));
    QW_CHECK(db.run("UPDATE run SET facts=?1, total_steps=?2, model_id=(SELECT id FROM model WHERE uid=?3) WHERE id=?4",
                    {json, p.totalSteps, p.fingerprint, m_run}));
    int64_t ord = 0;
    for (const auto& layer : p.layers)
        QW_CHECK(db.run(
            "INSERT INTO layer(run_id, ord, name, rows, cols, scheme, skip_reason, bits_per_weight) VALUES(?,?,?,?,?,?,?,?) "
            "ON CONFLICT(run_id, name) DO UPDATE SET ord=excluded.ord, rows=excluded.rows, cols=excluded.cols, scheme=excluded.scheme, "
            "skip_reason=excluded.skip_reason, bits_per_weight=excluded.bits_per_weight",
            {m_run, ord++, layer.name, layer.rows, layer.cols, layer.scheme, layer.skipReason, layer.bitsPerWeight}));
    return {};
}

Status Projector::put(Database& db, const LoggedEvent& e, const wire::Metrics& p) {
    for (const auto& [name, value] : p.values) {
        QW_TRY(const int64_t id, metricId(db, name));
        QW_TRY(SeriesWriter * writer, series(db, id));
        QW_CHECK(writer->add(db, {p.step, e.event.tsMs, value}));
    }
    m_step = p.step;
    return {};
}

Status Projector::put(Database& db, const LoggedEvent& e, const wire::LayerStats& p) {
    QW_TRY(const int64_t layer, layerId(db, p.layer));
    for (const auto& [name, value] : p.values) {
        QW_TRY(const int64_t kind, metricId(db, "layer." + name));
        QW_TRY(LayerWriter * writer, layerSeries(db, layer, kind));
        QW_CHECK(writer->add(db, {p.step, e.event.tsMs, value}));
    }
    return {};
}

Status Projector::artifactRow(Database& db, const LoggedEvent& e, const std::string& kind, const wire::Artifact& p) {
    return db.run("INSERT INTO artifact(run_id, kind, path, step, bytes, hash, info, created_ms) VALUES(?,?,?,?,?,?,?,?) ON "
                  "CONFLICT(run_id, path) DO UPDATE SET "
                  "kind=excluded.kind, step=excluded.step, bytes=excluded.bytes, hash=excluded.hash, info=excluded.info, "
                  "created_ms=excluded.created_ms, deleted=0",
                  {m_run, kind, p.path, p.step, p.bytes, p.hash, p.info, e.event.tsMs});
}

Status Projector::put(Database& db, const LoggedEvent& e, const wire::CheckpointSaved& p) {
    wire::Artifact artifact;
    artifact.path = p.path;
    artifact.step = p.step;
    artifact.bytes = p.bytes;
    if (p.best) artifact.info = "{\"best\":true}";
    return artifactRow(db, e, "checkpoint", artifact);
}

Status Projector::put(Database& db, const LoggedEvent& e, const wire::Artifact& p) { return artifactRow(db, e, p.kind, p); }

Status Projector::put(Database& db, const LoggedEvent& e, const wire::EvalDone& p) {
    const records::EvalResult& r = p.result;
    // The same measurement again (a resumed run) replaces the old one with its items.
    QW_CHECK(db.run(
        "DELETE FROM eval_result WHERE run_id=? AND at_step=? AND variant=? AND task=? AND lim=? AND task_digest=? AND config_hash=?",
        {m_run, r.atStep, r.variant, r.task, r.limit, r.taskDigest, r.settingsHash}));
    int64_t first = 0;
    for (const records::EvalMetric& m : r.metrics) {
        QW_CHECK(db.run("INSERT INTO eval_result(uid, run_id, at_step, variant, task, kind, task_version, lim, task_digest, metric, value, "
                        "stderr, n, config_hash, "
                        "settings, tokens_per_second, created_ms, detail_path) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                        {r.uid, m_run, r.atStep, r.variant, r.task, r.kind, r.taskVersion, r.limit, r.taskDigest, m.name, m.value,
                         m.stderror, r.n, r.settingsHash, r.settings, r.tokensPerSecond, r.createdMs, r.itemsPath}));
        if (first == 0) first = db.lastId();
    }
    if (first == 0) return {};
    for (const records::EvalItem& item : e.items) {
        const Blob ll{{reinterpret_cast<const char*>(item.ll.data()), item.ll.size() * sizeof(double)}};
        QW_CHECK(db.run(
            "INSERT OR REPLACE INTO eval_item(result_id, item, correct, correct_norm, ll, words, bytes, tokens) VALUES(?,?,?,?,?,?,?,?)",
            {first, item.item, item.correct, item.correctNorm, ll, item.words, item.bytes, item.tokens}));
    }
    return {};
}

Status Projector::put(Database& db, const LoggedEvent&, const wire::Notice& p) {
    if (!p.isError) return {};
    return db.run("UPDATE run SET error=? WHERE id=?", {errorToJson({p.code, p.message, p.hint, p.detail, false}), m_run});
}

Status Projector::put(Database& db, const LoggedEvent& e, const wire::Bye& p) {
    QW_CHECK(save(db)); // run.step
    QW_CHECK(db.run(
        "UPDATE run_attempt SET ended_ms=?2, to_step=(SELECT step FROM run WHERE id=?1), reason=?3 WHERE run_id=?1 AND ended_ms IS NULL",
        {m_run, e.event.tsMs, p.reason}));
    return db.run("UPDATE run SET exit_code=? WHERE id=?", {p.exitCode, m_run});
}

Result<int64_t> Projector::metricId(Database& db, const std::string& name) {
    if (const auto found = m_metricIds.find(name); found != m_metricIds.end()) return found->second;
    QW_CHECK(db.run("INSERT OR IGNORE INTO metric_def(name) VALUES(?)", {name}));
    QW_TRY(const auto id, db.integer("SELECT id FROM metric_def WHERE name=?", {name}));
    return m_metricIds[name] = id.value_or(0);
}

Result<int64_t> Projector::layerId(Database& db, const std::string& name) {
    if (const auto found = m_layerIds.find(name); found != m_layerIds.end()) return found->second;
    QW_CHECK(
        db.run("INSERT OR IGNORE INTO layer(run_id, ord, name) VALUES(?1, (SELECT coalesce(max(ord)+1, 0) FROM layer WHERE run_id=?1), ?2)",
               {m_run, name}));
    QW_TRY(const auto id, db.integer("SELECT id FROM layer WHERE run_id=? AND name=?", {m_run, name}));
    return m_layerIds[name] = id.value_or(0);
}

Result<SeriesWriter*> Projector::series(Database& db, int64_t metric) {
    if (const auto found = m_series.find(metric); found != m_series.end()) return &found->second;
    QW_TRY(SeriesWriter writer, SeriesWriter::load(db, m_run, metric));
    return &m_series.emplace(metric, std::move(writer)).first->second;
}

Result<LayerWriter*> Projector::layerSeries(Database& db, int64_t layer, int64_t kind) {
    const std::pair key{layer, kind};
    if (const auto found = m_layerSeries.find(key); found != m_layerSeries.end()) return &found->second;
    QW_TRY(LayerWriter writer, LayerWriter::load(db, m_run, layer, kind));
    return &m_layerSeries.emplace(key, std::move(writer)).first->second;
}

Result<std::vector<records::EvalItem>> readItems(const wire::RunFolder& folder, const std::string& path) {
    constexpr uint64_t kMaxItemsBytes = 1 << 30;
    std::error_code code;
    const auto root = std::filesystem::canonical(folder.dir, code);
    const auto file = std::filesystem::weakly_canonical(folder.dir / path, code);
    const auto inside = file.lexically_relative(root);
    if (code || inside.empty() || *inside.begin() == "..")
        return Error{"file.unsafe", "items file '" + path + "' is not inside the run's folder", {}, {}, false};
    QW_TRY(const std::string text, readFile(file, kMaxItemsBytes));
    std::vector<records::EvalItem> items;
    size_t line = 0;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        ++line;
        if (end > at) {
            auto item = wire::evalItemFromJson(std::string_view(text).substr(at, end - at));
            if (!item) return std::move(item).error().at(file.string() + ":" + std::to_string(line));
            items.push_back(*std::move(item));
        }
        at = end + 1;
    }
    return items;
}

} // namespace qw::store
