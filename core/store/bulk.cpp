// SPDX-License-Identifier: GPL-3.0-or-later
// What: the facts of all runs at once: one query a table, merged by the run's row id.
#include "store/store_state.h"

#include <unordered_map>

namespace qw::store {

Result<std::vector<RunRecord>> Store::records() const {
    Database& db = m_state->durable;
    RunFilter all;
    all.trashed = true;
    QW_TRY(auto infos, runs(all));
    std::vector<RunRecord> found(infos.size());
    std::unordered_map<std::string, size_t> byUid;
    for (size_t i = 0; i < infos.size(); ++i) {
        byUid.emplace(infos[i].identity.uid, i);
        found[i].info = std::move(infos[i]);
    }
    std::unordered_map<int64_t, RunRecord*> byId;
    QW_CHECK(db.query("SELECT id, uid FROM run", {}, [&](const Row& row) {
        const auto at = byUid.find(row.text(1));
        if (at != byUid.end()) byId.emplace(row.integer(0), &found[at->second]);
    }));
    const auto with = [&](const Row& row, const auto& put) {
        const auto at = byId.find(row.integer(0)); // a run of another front end may be newer than our list
        if (at != byId.end()) put(*at->second);
    };
    QW_CHECK(db.query("SELECT l.run_id, d.name, l.n, l.step, l.vmin_step, l.vmax_step, l.value, l.vmin, l.vmax FROM metric_last AS l "
                      "JOIN metric_def AS d ON d.id=l.metric_id ORDER BY l.run_id, d.name",
                      {}, [&](const Row& row) {
                          with(row, [&](RunRecord& r) {
                              r.metrics.push_back({row.text(1), row.integer(2), row.integer(3), row.integer(4), row.integer(5), row.real(6),
                                                   row.real(7), row.real(8)});
                          });
                      }));
    QW_CHECK(db.query(
        "SELECT run_id, kind, path, hash, info, step, bytes, created_ms FROM artifact WHERE deleted=0 ORDER BY id", {},
        [&](const Row& row) {
            with(row, [&](RunRecord& r) {
                r.artifacts.push_back({row.text(1), row.text(2), row.text(3), row.text(4), row.integer(5), row.integer(6), row.integer(7)});
            });
        }));
    // Items are not counted one by one: a result has all of its items or none.
    QW_CHECK(db.query("SELECT x.run_id, x.uid, x.task, x.kind, x.task_version, x.variant, x.at_step, x.lim, x.n, x.task_digest, "
                      "x.config_hash, x.settings, x.detail_path, x.tokens_per_second, x.created_ms, x.metric, x.value, x.stderr, "
                      "EXISTS(SELECT 1 FROM eval_item AS i WHERE i.result_id=x.id) FROM eval_result AS x ORDER BY x.id",
                      {}, [&](const Row& row) {
                          with(row, [&](RunRecord& r) {
                              if (r.results.empty() || r.results.back().result.uid != row.text(1))
                                  r.results.push_back({r.info.identity.uid, resultOf(row, 1), 0});
                              StoredResult& stored = r.results.back();
                              stored.result.metrics.push_back(metricOf(row, 15));
                              if (row.integer(18) != 0) stored.items = stored.result.n;
                          });
                      }));
    return found;
}

} // namespace qw::store
