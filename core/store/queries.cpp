// SPDX-License-Identifier: GPL-3.0-or-later
// What: reads runs, their attempts, layers, artifacts, events and results.
#include "store/store_state.h"
#include "wire/json_events.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace qw::store {
namespace {

#define QW_RUN_COLUMNS                                                                                                                     \
    "r.uid, r.name, r.kind, e.uid, e.name, r.role, r.scheme, r.method, r.block, r.key, r.seed, r.model_path, r.parent_uid, r.build_id, "   \
    "r.created_ms, r.notes, r.colour, r.tags, r.dir, r.state, r.phase, r.config_hash, r.config, r.env, r.facts, r.started_ms, "            \
    "r.ended_ms, r.step, r.total_steps, r.exit_code, coalesce(r.error, r.lost_error), r.bitwise, r.queue_pos, r.trashed_ms, "              \
    "r.ingest_seq, r.last_event_ms "                                                                                                       \
    "FROM run AS r JOIN experiment AS e ON e.id=r.experiment_id "

records::RunIdentity identityOf(const Row& row) {
    records::RunIdentity id;
    id.uid = row.text(0);
    id.name = row.text(1);
    id.kind = row.text(2);
    if (row.text(3) != kNoStudy) {
        id.studyUid = row.text(3);
        id.studyName = row.text(4);
    }
    id.role = records::roleFromName(row.text(5)).value_or(records::RowRole::Float);
    id.scheme = row.text(6);
    id.method = row.text(7);
    id.block = row.text(8);
    id.key = row.text(9);
    id.seed = static_cast<uint64_t>(row.integer(10));
    id.modelPath = row.text(11);
    id.parentUid = row.text(12);
    id.buildId = row.text(13);
    id.createdMs = row.integer(14);
    id.notes = row.text(15);
    id.colour = row.text(16);
    id.tags = tagsFromJson(row.text(17));
    return id;
}

RunInfo runOf(const Row& row, const std::filesystem::path& project) {
    RunInfo info;
    info.identity = identityOf(row);
    info.dir = project / row.text(18);
    info.state = records::stateFromName(row.text(19)).value_or(records::RunState::Created);
    info.phase = row.text(20);
    info.configHash = row.text(21);
    info.config = row.text(22);
    info.env = row.text(23);
    if (!row.isNull(24)) {
        const auto facts = wire::payloadFromJson("model", row.text(24));
        if (facts && std::holds_alternative<wire::ModelFacts>(*facts)) info.model = std::get<wire::ModelFacts>(*facts);
    }
    info.startedMs = row.integer(25);
    info.endedMs = row.integer(26);
    info.step = row.integer(27);
    info.totalSteps = row.integer(28);
    if (!row.isNull(29)) info.exitCode = static_cast<int>(row.integer(29));
    if (!row.isNull(30)) info.error = errorFromJson(row.text(30));
    info.bitwise = row.integer(31) != 0;
    if (!row.isNull(32)) info.queuePos = row.integer(32);
    info.trashedMs = row.integer(33);
    info.ingestSeq = row.integer(34);
    info.lastEventMs = row.integer(35);
    return info;
}

Error noRun(const std::string& token, const std::filesystem::path& project) {
    return {"file.not_found", "no run '" + token + "' in " + project.string(), "'qatw runs' lists what there is", {}, false};
}

} // namespace

records::EvalResult resultOf(const Row& row, int at) {
    records::EvalResult r;
    r.uid = row.text(at);
    r.task = row.text(at + 1);
    r.kind = row.text(at + 2);
    r.taskVersion = row.text(at + 3);
    r.variant = row.text(at + 4);
    r.atStep = row.integer(at + 5);
    r.limit = row.real(at + 6);
    r.n = row.integer(at + 7);
    r.taskDigest = row.text(at + 8);
    r.settingsHash = row.text(at + 9);
    r.settings = row.text(at + 10);
    r.itemsPath = row.text(at + 11);
    r.tokensPerSecond = row.isNull(at + 12) ? 0 : row.real(at + 12);
    r.createdMs = row.integer(at + 13);
    return r;
}

records::EvalMetric metricOf(const Row& row, int at) {
    return {row.text(at), row.real(at + 1), row.isNull(at + 2) ? std::nullopt : std::optional(row.real(at + 2))};
}

Result<std::vector<RunInfo>> Store::runs(const RunFilter& filter) const {
    std::vector<RunInfo> found;
    const std::string state = filter.state ? records::stateName(*filter.state) : "";
    QW_CHECK(m_state->durable.query("SELECT " QW_RUN_COLUMNS "WHERE (?1='' OR e.uid=?1 OR EXISTS(SELECT 1 FROM study_row AS s WHERE "
                                    "s.study_uid=?1 AND s.run_uid=r.uid)) AND (?2='' OR r.state=?2) "
                                    "AND (?3='' OR r.kind=?3) AND (?4='' OR r.scheme=?4) AND (?5 OR r.trashed_ms IS NULL) ORDER BY r.uid",
                                    {filter.study, state, filter.kind, filter.scheme, filter.trashed},
                                    [&](const Row& row) { found.push_back(runOf(row, m_state->project)); }));
    return found;
}

Result<RunInfo> Store::run(const std::string& token) const {
    std::vector<RunInfo> found;
    const auto keep = [&](const Row& row) { found.push_back(runOf(row, m_state->project)); };
    if (token.empty()) return noRun(token, m_state->project);
    QW_CHECK(m_state->durable.query("SELECT " QW_RUN_COLUMNS "WHERE r.uid=?", {token}, keep));
    if (found.empty())
        QW_CHECK(
            m_state->durable.query("SELECT " QW_RUN_COLUMNS "WHERE substr(r.uid, 1, length(?1))=upper(?1) ORDER BY r.uid", {token}, keep));
    if (found.empty()) QW_CHECK(m_state->durable.query("SELECT " QW_RUN_COLUMNS "WHERE r.name=? ORDER BY r.uid", {token}, keep));
    if (found.empty()) return noRun(token, m_state->project);
    if (found.size() == 1) return std::move(found.front());
    std::string list;
    for (size_t i = 0; i < std::min<size_t>(found.size(), 5); ++i) list += (i ? ", " : "") + found[i].identity.uid;
    return Error{"file.not_found",
                 "'" + token + "' fits " + std::to_string(found.size()) + " runs: " + list + (found.size() > 5 ? " …" : ""),
                 "write one of the ids",
                 {},
                 false};
}

Result<std::optional<RunInfo>> Store::findCompleted(const std::string& key) const {
    std::optional<RunInfo> found;
    if (key.empty()) return found;
    QW_CHECK(m_state->durable.query("SELECT " QW_RUN_COLUMNS
                                    "WHERE r.key=? AND r.state='completed' AND r.trashed_ms IS NULL ORDER BY r.uid DESC LIMIT 1",
                                    {key}, [&](const Row& row) { found = runOf(row, m_state->project); }));
    return found;
}

Result<std::vector<AttemptInfo>> Store::attempts(const std::string& runUid) const {
    std::vector<AttemptInfo> found;
    QW_CHECK(m_state->durable.query(
        "SELECT a.attempt, a.host, a.reason, a.pid, a.from_step, a.to_step, a.started_ms, a.ended_ms FROM run_attempt AS a "
        "JOIN run AS r ON r.id=a.run_id WHERE r.uid=? ORDER BY a.attempt",
        {runUid}, [&](const Row& row) {
            found.push_back({static_cast<int>(row.integer(0)), row.text(1), row.text(2), row.integer(3), row.integer(4), row.integer(5),
                             row.integer(6), row.integer(7)});
        }));
    return found;
}

bool isOnDisk(const RunInfo& run, const ArtifactInfo& artifact) {
    std::error_code error;
    return std::filesystem::exists(run.dir / artifact.path, error); // an export's path is absolute
}

Result<std::vector<ArtifactInfo>> Store::artifacts(const std::string& runUid) const {
    std::vector<ArtifactInfo> found;
    QW_CHECK(m_state->durable.query(
        "SELECT a.kind, a.path, a.hash, a.info, a.step, a.bytes, a.created_ms FROM artifact AS a JOIN run AS r ON r.id=a.run_id "
        "WHERE r.uid=? AND a.deleted=0 ORDER BY a.id",
        {runUid}, [&](const Row& row) {
            found.push_back({row.text(0), row.text(1), row.text(2), row.text(3), row.integer(4), row.integer(5), row.integer(6)});
        }));
    return found;
}

Result<std::vector<records::LayerInfo>> Store::layers(const std::string& runUid) const {
    std::vector<records::LayerInfo> found;
    QW_CHECK(m_state->durable.query(
        "SELECT l.name, l.rows, l.cols, l.scheme, l.skip_reason, l.bits_per_weight FROM layer AS l JOIN run AS r ON r.id=l.run_id "
        "WHERE r.uid=? AND l.rows IS NOT NULL ORDER BY l.ord, l.id",
        {runUid}, [&](const Row& row) {
            found.push_back({row.text(0), row.integer(1), row.integer(2), row.text(3), row.text(4), row.isNull(5) ? 0 : row.real(5)});
        }));
    return found;
}

Result<std::vector<EventInfo>> Store::events(const std::string& runUid, int minLevel, size_t newest) const {
    std::vector<EventInfo> found;
    const int64_t limit = newest > size_t{INT64_MAX} ? -1 : static_cast<int64_t>(newest);
    QW_CHECK(m_state->durable.query(
        "SELECT v.seq, v.ts_ms, v.level, v.kind, v.body FROM event AS v JOIN run AS r ON r.id=v.run_id WHERE r.uid=? AND v.level>=? "
        "ORDER BY v.seq DESC LIMIT ?",
        {runUid, minLevel, limit}, [&](const Row& row) {
            found.push_back({row.integer(0), row.integer(1), static_cast<int>(row.integer(2)), row.text(3), row.text(4)});
        }));
    std::ranges::reverse(found);
    return found;
}

Result<std::vector<StoredResult>> Store::results(const std::string& runUid) const {
    std::vector<StoredResult> found;
    QW_CHECK(m_state->durable.query(
        "SELECT x.uid, x.task, x.kind, x.task_version, x.variant, x.at_step, x.lim, x.n, x.task_digest, x.config_hash, x.settings, "
        "x.detail_path, "
        "x.tokens_per_second, x.created_ms, x.metric, x.value, x.stderr, (SELECT count(*) FROM eval_item AS i WHERE i.result_id=x.id) "
        "FROM eval_result AS x JOIN run AS r ON r.id=x.run_id WHERE r.uid=? ORDER BY x.id",
        {runUid}, [&](const Row& row) {
            if (found.empty() || found.back().result.uid != row.text(0)) found.push_back({runUid, resultOf(row, 0), 0});
            found.back().result.metrics.push_back(metricOf(row, 14));
            found.back().items += row.integer(17);
        }));
    return found;
}

Result<std::vector<records::EvalItem>> Store::items(const std::string& resultUid) const {
    std::vector<records::EvalItem> found;
    QW_CHECK(m_state->durable.query("SELECT i.item, i.correct, i.correct_norm, i.ll, i.words, i.bytes, i.tokens FROM eval_item AS i JOIN "
                                    "eval_result AS x ON x.id=i.result_id "
                                    "WHERE x.uid=? ORDER BY i.item",
                                    {resultUid}, [&](const Row& row) {
                                        records::EvalItem& item = found.emplace_back();
                                        item.item = row.integer(0);
                                        item.correct = static_cast<int>(row.integer(1));
                                        item.correctNorm = static_cast<int>(row.integer(2));
                                        const std::string_view ll = row.blob(3);
                                        item.ll.resize(ll.size() / sizeof(double));
                                        std::memcpy(item.ll.data(), ll.data(), item.ll.size() * sizeof(double));
                                        item.words = row.integer(4);
                                        item.bytes = row.integer(5);
                                        item.tokens = row.integer(6);
                                    }));
    return found;
}

} // namespace qw::store
