// SPDX-License-Identifier: GPL-3.0-or-later
// What: reads series: whole, or as min, max and mean over at most so many buckets, from the coarsest summaries that are fine enough.
#include "store/store_state.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qw::store {
namespace {

struct Piece { // a point, or an entry of a level
    int64_t step = 0;
    double min = 0, max = 0, mean = 0, weight = 1;
};

struct SeriesReader {
    Database& db;
    int64_t run, metric;
    std::vector<Piece> pieces = {};

    static double weightOf(int level) { return std::pow(static_cast<double>(kGroup), level); }

    // Pieces with from <= step <= to, in order; entries that straddle a border are replaced by the level below.
    Status collect(int level, int64_t from, int64_t to) {
        if (from > to) return {};
        if (level == 0) return points(from, to);
        struct Chunk {
            int64_t step0;
            std::vector<Entry> entries;
        };
        std::vector<Chunk> chunks;
        Status bad;
        QW_CHECK(db.query("SELECT n, step0, enc, data FROM metric_chunk WHERE run_id=? AND metric_id=? AND level=? AND step1>=? AND "
                          "step0<=? ORDER BY chunk",
                          {run, metric, level, from, to}, [&](const Row& row) {
                              auto entries = decodeEntries(static_cast<int>(row.integer(2)), row.blob(3),
                                                           static_cast<size_t>(row.integer(0)), row.integer(1));
                              if (entries)
                                  chunks.push_back({row.integer(1), *std::move(entries)});
                              else
                                  bad = entries.error();
                          }));
        QW_CHECK(std::move(bad));
        int64_t covered = from - 1;
        for (const Chunk& chunk : chunks) {
            int64_t first = chunk.step0;
            for (const Entry& e : chunk.entries) {
                if (first >= from && e.lastStep <= to)
                    pieces.push_back({e.lastStep, e.min, e.max, e.mean, weightOf(level)});
                else if (e.lastStep >= from && first <= to)
                    QW_CHECK(collect(level - 1, std::max(from, first), std::min(to, e.lastStep)));
                if (e.lastStep >= from) covered = std::max(covered, std::min(e.lastStep, to));
                first = e.lastStep + 1;
            }
        }
        // Behind the last whole group of this level.
        return covered < to ? collect(level - 1, covered + 1, to) : Status();
    }

    Status points(int64_t from, int64_t to) {
        Status bad;
        QW_CHECK(db.query("SELECT enc, data, n, step0, ts0 FROM metric_chunk WHERE run_id=? AND metric_id=? AND level=0 AND step1>=? AND "
                          "step0<=? ORDER BY chunk",
                          {run, metric, from, to}, [&](const Row& row) {
                              const auto part = decodePoints(static_cast<int>(row.integer(0)), row.blob(1),
                                                             static_cast<size_t>(row.integer(2)), row.integer(3), row.integer(4));
                              if (!part) {
                                  bad = part.error();
                                  return;
                              }
                              for (const Point& p : *part)
                                  if (p.step >= from && p.step <= to) pieces.push_back({p.step, p.value, p.value, p.value});
                          }));
        QW_CHECK(std::move(bad));
        return db.query("SELECT step, value FROM metric_hot WHERE run_id=? AND metric_id=? AND step BETWEEN ? AND ? ORDER BY step",
                        {run, metric, from, to}, [&](const Row& row) {
                            pieces.push_back({row.integer(0), row.real(1), row.real(1), row.real(1)});
                        });
    }

    // The coarsest level that still has at least maxPoints entries in the range.
    Result<int> levelFor(int64_t from, int64_t to, size_t maxPoints) {
        int level = 0;
        if (maxPoints == SIZE_MAX) return level;
        QW_CHECK(db.query("SELECT level, sum(n) FROM metric_chunk WHERE run_id=? AND metric_id=? AND step0>=? AND step1<=? GROUP BY level",
                          {run, metric, from, to}, [&](const Row& row) {
                              if (static_cast<size_t>(row.integer(1)) >= maxPoints)
                                  level = std::max(level, static_cast<int>(row.integer(0)));
                          }));
        return level;
    }
};

// maxPoints buckets of equal weight; a bucket's step is its last one.
SeriesData buckets(const std::vector<Piece>& pieces, size_t maxPoints) {
    SeriesData data;
    if (pieces.empty() || maxPoints == 0) return data;
    double total = 0;
    for (const Piece& p : pieces) total += p.weight;
    const double share = pieces.size() <= maxPoints ? 0 : total / static_cast<double>(maxPoints);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    double filled = 0, sum = 0, weight = 0, lo = nan, hi = nan;
    Piece last;
    const auto close = [&] {
        data.step.push_back(last.step);
        data.min.push_back(weight > 0 ? lo : last.min);
        data.max.push_back(weight > 0 ? hi : last.max);
        data.mean.push_back(weight > 0 ? sum / weight : last.mean);
        sum = weight = 0;
        lo = hi = nan;
    };
    for (size_t i = 0; i < pieces.size(); ++i) {
        const Piece& p = pieces[i];
        last = p;
        filled += p.weight;
        if (std::isfinite(p.mean)) {
            lo = weight > 0 ? std::min(lo, p.min) : p.min;
            hi = weight > 0 ? std::max(hi, p.max) : p.max;
            sum += p.mean * p.weight;
            weight += p.weight;
        }
        const bool full = filled >= share * static_cast<double>(data.step.size() + 1) - 1e-9 * total;
        if (full || i + 1 == pieces.size()) close();
    }
    return data;
}

Error noSuch(const std::string& what) { return {"file.not_found", what, "'qatw show RUN' lists what there is", {}, false}; }

} // namespace

Result<SeriesData> Store::series(const std::string& runUid, const std::string& metric, int64_t fromStep, int64_t toStep,
                                 size_t maxPoints) const {
    Database& db = m_state->durable;
    QW_TRY(const auto run, db.integer("SELECT id FROM run WHERE uid=?", {runUid}));
    QW_TRY(const auto id,
           db.integer("SELECT d.id FROM metric_def AS d JOIN metric_last AS l ON l.metric_id=d.id WHERE d.name=? AND l.run_id=?",
                      {metric, run.value_or(-1)}));
    if (!run || !id) return noSuch("run " + runUid + " has no series '" + metric + "'");
    SeriesReader reader{db, *run, *id};
    // One read transaction: another front end may seal a chunk in between.
    QW_CHECK(db.run("SAVEPOINT series"));
    const Status collected = [&]() -> Status {
        QW_TRY(const int level, reader.levelFor(fromStep, toStep, maxPoints));
        return reader.collect(level, fromStep, toStep);
    }();
    QW_CHECK(db.run("RELEASE series"));
    QW_CHECK(Status(collected));
    return buckets(reader.pieces, maxPoints);
}

Result<std::vector<MetricSummary>> Store::metrics(const std::string& runUid) const {
    std::vector<MetricSummary> found;
    QW_CHECK(m_state->durable.query("SELECT d.name, l.n, l.step, l.vmin_step, l.vmax_step, l.value, l.vmin, l.vmax FROM metric_last AS l "
                                    "JOIN metric_def AS d ON d.id=l.metric_id JOIN run AS r ON r.id=l.run_id WHERE r.uid=? ORDER BY d.name",
                                    {runUid}, [&](const Row& row) {
                                        found.push_back({row.text(0), row.integer(1), row.integer(2), row.integer(3), row.integer(4),
                                                         row.real(5), row.real(6), row.real(7)});
                                    }));
    return found;
}

Result<std::vector<LayerStatSummary>> Store::layerStats(const std::string& runUid) const {
    std::vector<LayerStatSummary> found;
    QW_CHECK(m_state->durable.query("SELECT l.name, substr(d.name, 7), sum(s.n) FROM layer_stat AS s JOIN layer AS l ON l.id=s.layer_id "
                                    "JOIN metric_def AS d ON d.id=s.kind "
                                    "JOIN run AS r ON r.id=s.run_id WHERE r.uid=? GROUP BY l.id, d.id ORDER BY l.ord, d.name",
                                    {runUid}, [&](const Row& row) {
                                        found.push_back({row.text(0), row.text(1), row.integer(2)});
                                    }));
    return found;
}

Result<SeriesData> Store::layerSeries(const std::string& runUid, const std::string& layer, const std::string& kind) const {
    std::vector<Piece> pieces;
    Status bad;
    QW_CHECK(m_state->durable.query(
        "SELECT s.data, s.n, s.step0 FROM layer_stat AS s JOIN layer AS l ON l.id=s.layer_id JOIN metric_def AS d ON d.id=s.kind "
        "JOIN run AS r ON r.id=s.run_id WHERE r.uid=? AND l.name=? AND d.name='layer.'||? ORDER BY s.chunk",
        {runUid, layer, kind}, [&](const Row& row) {
            const auto part = decodeLayerPoints(row.blob(0), static_cast<size_t>(row.integer(1)), row.integer(2));
            if (!part)
                bad = part.error();
            else
                for (const Point& p : *part) pieces.push_back({p.step, p.value, p.value, p.value});
        }));
    QW_CHECK(std::move(bad));
    if (pieces.empty()) return noSuch("run " + runUid + " has no statistic '" + kind + "' of layer '" + layer + "'");
    return buckets(pieces, SIZE_MAX);
}

} // namespace qw::store
