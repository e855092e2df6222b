// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/schema.h"

#include "base/files.h"

#include <algorithm>
#include <array>
#include <sqlite3.h>
#include <vector>

namespace qw::store {
namespace {

// engine.md 6.1 with the additions of recipe.md 5. Rows that name a run go with it. JSON is checked before it is bound:
// SQLite 3.40 refuses json_valid() in a CHECK under trusted_schema=OFF.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE experiment(id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, name TEXT NOT NULL, notes TEXT NOT NULL DEFAULT '',
  tags TEXT NOT NULL DEFAULT '[]', created_ms INTEGER NOT NULL, archived INTEGER NOT NULL DEFAULT 0,
  dir TEXT NOT NULL DEFAULT '', rows_stamp INTEGER NOT NULL DEFAULT 0);
CREATE TABLE model(id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, path TEXT NOT NULL, arch TEXT, params INTEGER, bytes INTEGER,
  fingerprint TEXT NOT NULL, info TEXT NOT NULL, added_ms INTEGER NOT NULL);
CREATE TABLE dataset(id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, spec TEXT NOT NULL, fingerprint TEXT, stats TEXT);
CREATE TABLE run(id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, experiment_id INTEGER NOT NULL REFERENCES experiment(id) ON DELETE CASCADE,
  parent_id INTEGER REFERENCES run(id), kind TEXT NOT NULL CHECK(kind IN('train','qat','ptq','eval','export','generate')),
  name TEXT NOT NULL, dir TEXT NOT NULL, state TEXT NOT NULL, scheme TEXT, model_id INTEGER REFERENCES model(id), dataset_id INTEGER REFERENCES dataset(id),
  config TEXT NOT NULL, config_hash TEXT NOT NULL, env TEXT NOT NULL, seed INTEGER,
  bitwise INTEGER NOT NULL DEFAULT 1, created_ms INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER,
  step INTEGER NOT NULL DEFAULT 0, total_steps INTEGER, exit_code INTEGER, error TEXT,
  ingest_seq INTEGER NOT NULL DEFAULT 0, ingest_owner TEXT, ingest_until INTEGER, ingest_offset INTEGER NOT NULL DEFAULT 0,
  ingest_start INTEGER NOT NULL DEFAULT 0, ingest_crc INTEGER NOT NULL DEFAULT 0, lost TEXT, lost_error TEXT,
  phase TEXT NOT NULL DEFAULT '', role TEXT NOT NULL DEFAULT 'float', method TEXT NOT NULL DEFAULT '', block TEXT NOT NULL DEFAULT '',
  key TEXT NOT NULL DEFAULT '', model_path TEXT NOT NULL DEFAULT '', parent_uid TEXT NOT NULL DEFAULT '', build_id TEXT NOT NULL DEFAULT '',
  facts TEXT, last_event_ms INTEGER NOT NULL DEFAULT 0, identity_stamp INTEGER NOT NULL DEFAULT 0,
  tags TEXT NOT NULL DEFAULT '[]', notes TEXT NOT NULL DEFAULT '', colour TEXT NOT NULL DEFAULT '',
  queue_pos INTEGER, trashed_ms INTEGER);
CREATE INDEX run_exp ON run(experiment_id, created_ms);
CREATE INDEX run_state ON run(state) WHERE state IN('running','paused','starting');
CREATE INDEX run_key ON run(key) WHERE key <> '';
CREATE TABLE study_row(study_uid TEXT NOT NULL, role TEXT NOT NULL, scheme TEXT NOT NULL, method TEXT NOT NULL, block TEXT NOT NULL,
  seed INTEGER NOT NULL, run_uid TEXT NOT NULL, PRIMARY KEY(study_uid, role, scheme, method, block, seed)) WITHOUT ROWID;
CREATE INDEX study_row_run ON study_row(run_uid);
CREATE TABLE run_attempt(run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, attempt INTEGER NOT NULL, host TEXT, pid INTEGER,
  from_step INTEGER, to_step INTEGER, started_ms INTEGER, ended_ms INTEGER, reason TEXT, PRIMARY KEY(run_id, attempt)) WITHOUT ROWID;
CREATE TABLE metric_def(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, unit TEXT, higher_better INTEGER);
CREATE TABLE metric_hot(run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, metric_id INTEGER NOT NULL, step INTEGER NOT NULL,
  ts_ms INTEGER NOT NULL, value REAL, PRIMARY KEY(run_id, metric_id, step)) WITHOUT ROWID;
CREATE TABLE metric_chunk(run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, metric_id INTEGER NOT NULL, level INTEGER NOT NULL,
  chunk INTEGER NOT NULL, n INTEGER NOT NULL, step0 INTEGER NOT NULL, step1 INTEGER NOT NULL, ts0 INTEGER NOT NULL, ts1 INTEGER NOT NULL,
  vmin REAL, vmax REAL, vsum REAL, nonfinite INTEGER NOT NULL DEFAULT 0, enc INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY(run_id, metric_id, level, chunk)) WITHOUT ROWID;
CREATE TABLE metric_last(run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, metric_id INTEGER NOT NULL, step INTEGER, value REAL,
  vmin REAL, vmin_step INTEGER, vmax REAL, vmax_step INTEGER, n INTEGER, PRIMARY KEY(run_id, metric_id)) WITHOUT ROWID;
CREATE TABLE layer(id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, ord INTEGER NOT NULL, name TEXT NOT NULL,
  rows INTEGER, cols INTEGER, scheme TEXT, skip_reason TEXT NOT NULL DEFAULT '', bits_per_weight REAL, UNIQUE(run_id, name));
CREATE TABLE layer_stat(run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, layer_id INTEGER NOT NULL, kind INTEGER NOT NULL,
  chunk INTEGER NOT NULL, step0 INTEGER NOT NULL, step1 INTEGER NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY(run_id, layer_id, kind, chunk)) WITHOUT ROWID;
CREATE TABLE layer_hist(run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, layer_id INTEGER NOT NULL, step INTEGER NOT NULL,
  kind INTEGER NOT NULL, lo REAL, hi REAL, counts BLOB NOT NULL, PRIMARY KEY(run_id, layer_id, step, kind)) WITHOUT ROWID;
CREATE TABLE eval_result(id INTEGER PRIMARY KEY, uid TEXT NOT NULL, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  at_step INTEGER NOT NULL DEFAULT -1, variant TEXT NOT NULL CHECK(variant IN('float','fake_quant','ptq','quantized')), task TEXT NOT NULL,
  kind TEXT NOT NULL, task_version TEXT, fewshot INTEGER NOT NULL DEFAULT 0, lim REAL NOT NULL DEFAULT 0, task_digest TEXT NOT NULL,
  metric TEXT NOT NULL, value REAL, stderr REAL, n INTEGER, config_hash TEXT NOT NULL, settings TEXT NOT NULL DEFAULT '',
  tokens_per_second REAL, created_ms INTEGER NOT NULL, detail_path TEXT,
  UNIQUE(run_id, at_step, variant, task, fewshot, lim, task_digest, config_hash, metric));
CREATE INDEX eval_result_uid ON eval_result(uid);
CREATE TABLE eval_item(result_id INTEGER NOT NULL REFERENCES eval_result(id) ON DELETE CASCADE, item INTEGER NOT NULL, correct INTEGER NOT NULL,
  correct_norm INTEGER NOT NULL, ll BLOB NOT NULL, words INTEGER NOT NULL, bytes INTEGER NOT NULL, tokens INTEGER NOT NULL,
  PRIMARY KEY(result_id, item)) WITHOUT ROWID;
CREATE TABLE artifact(id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, kind TEXT NOT NULL, path TEXT NOT NULL,
  step INTEGER, bytes INTEGER, hash TEXT, info TEXT, created_ms INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0, UNIQUE(run_id, path));
CREATE TABLE event(run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, seq INTEGER NOT NULL, ts_ms INTEGER NOT NULL,
  level INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT, PRIMARY KEY(run_id, seq)) WITHOUT ROWID;
)sql";

constexpr std::array kMigrations{Migration{1, kVersion1}};

// Online backup, so that another reader does not disturb it.
Status copyTo(Database& db, const std::filesystem::path& target) {
    Database copy;
    QW_CHECK(copy.open(target, false));
    sqlite3_backup* backup = sqlite3_backup_init(copy.handle(), "main", db.handle(), "main");
    if (!backup) return copy.error(sqlite3_errcode(copy.handle()));
    sqlite3_backup_step(backup, -1);
    if (const int code = sqlite3_backup_finish(backup); code != SQLITE_OK) return copy.error(code);
    return {};
}

void keepNewestBackups(const std::filesystem::path& dir, size_t keep) {
    std::vector<std::filesystem::path> found;
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator(dir, code)) {
        const std::string name = entry.path().filename();
        if (name.starts_with("store-v") && name.ends_with(".bak")) found.push_back(entry.path());
    }
    // The number of the version decides, not the text: v10 is newer than v9.
    std::ranges::sort(found, {}, [](const auto& path) { return std::atoi(path.filename().c_str() + 7); });
    for (size_t i = 0; i + keep < found.size(); ++i) std::filesystem::remove(found[i], code);
}

} // namespace

std::span<const Migration> migrations() { return kMigrations; }

Status migrate(Database& db, const std::filesystem::path& file, std::span<const Migration> steps) {
    QW_TRY(const auto have, db.integer("PRAGMA user_version"));
    for (const Migration& step : steps) {
        if (step.to <= have.value_or(0)) continue;
        if (have.value_or(0) > 0) {
            const auto target = file.parent_path() / ("store-v" + std::to_string(step.to - 1) + ".bak");
            std::error_code ignored;
            std::filesystem::remove(target, ignored);
            QW_CHECK(copyTo(db, target));
            keepNewestBackups(file.parent_path(), 3);
        }
        Transaction transaction(db);
        QW_CHECK(transaction.begin());
        // Another front end may have been faster.
        QW_TRY(const auto now, db.integer("PRAGMA user_version"));
        if (now.value_or(0) >= step.to) continue; // rolled back by the destructor
        QW_CHECK(db.script(step.sql));
        QW_CHECK(db.script("PRAGMA user_version=" + std::to_string(step.to)));
        QW_CHECK(transaction.commit());
    }
    return {};
}

} // namespace qw::store
