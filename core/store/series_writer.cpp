// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/series_writer.h"

#include <algorithm>
#include <cmath>

namespace qw::store {

Result<SeriesWriter> SeriesWriter::load(Database& db, int64_t run, int64_t metric) {
    SeriesWriter w;
    w.m_run = run;
    w.m_metric = metric;
    QW_CHECK(db.query("SELECT count(*), max(step1) FROM metric_chunk WHERE run_id=? AND metric_id=? AND level=0", {run, metric},
                      [&](const Row& row) {
                          w.m_chunks = row.integer(0);
                          if (w.m_chunks > 0) w.m_sealedStep = row.integer(1);
                      }));
    QW_CHECK(db.query("SELECT step, ts_ms, value FROM metric_hot WHERE run_id=? AND metric_id=? ORDER BY step", {run, metric},
                      [&](const Row& row) {
                          w.m_hot.push_back({row.integer(0), row.integer(1), row.real(2)});
                      }));
    w.m_saved = w.m_hot.size();
    Status bad;
    QW_CHECK(db.query(
        "SELECT level, chunk, n, step0, ts0, ts1, enc, data FROM metric_chunk AS c WHERE run_id=?1 AND metric_id=?2 AND level>0 AND chunk="
        "(SELECT max(chunk) FROM metric_chunk WHERE run_id=?1 AND metric_id=?2 AND level=c.level) ORDER BY level",
        {run, metric}, [&](const Row& row) {
            Tail tail{row.integer(1), row.integer(3), row.integer(4), row.integer(5), {}, false};
            auto entries = decodeEntries(static_cast<int>(row.integer(6)), row.blob(7), static_cast<size_t>(row.integer(2)), tail.step0);
            if (!entries)
                bad = entries.error();
            else if (entries->size() == kChunkPoints)
                ++tail.chunk;
            else
                tail.entries = *std::move(entries);
            w.m_tails.push_back(std::move(tail));
        }));
    QW_CHECK(std::move(bad));
    QW_CHECK(db.query("SELECT step, value, vmin, vmin_step, vmax, vmax_step, n FROM metric_last WHERE run_id=? AND metric_id=?",
                      {run, metric}, [&](const Row& row) {
                          w.m_last.step = row.integer(0);
                          w.m_last.value = row.real(1);
                          w.m_last.min = row.real(2);
                          w.m_last.minStep = row.integer(3);
                          w.m_last.max = row.real(4);
                          w.m_last.maxStep = row.integer(5);
                          w.m_last.n = row.integer(6);
                      }));
    return w;
}

void SeriesWriter::countPoint(const Point& point) {
    ++m_last.n;
    m_last.step = point.step;
    m_last.value = point.value;
    if (!std::isfinite(point.value)) return;
    if (!(m_last.min <= point.value)) m_last.min = point.value, m_last.minStep = point.step;
    if (!(m_last.max >= point.value)) m_last.max = point.value, m_last.maxStep = point.step;
}

Status SeriesWriter::add(Database& db, const Point& point) {
    if (m_last.n > 0 && point.step <= m_last.step) QW_CHECK(cut(db, point.step));
    m_hot.push_back(point);
    countPoint(point);
    m_dirty = true;
    return m_hot.size() == kChunkPoints ? seal(db) : Status();
}

Status SeriesWriter::seal(Database& db) {
    const Encoded encoded = encodePoints(m_hot);
    const Entry all = summarise(m_hot.data(), m_hot.size());
    double sum = 0;
    int64_t nonfinite = 0;
    for (const Point& p : m_hot) {
        if (std::isfinite(p.value))
            sum += p.value;
        else
            ++nonfinite;
    }
    QW_CHECK(db.run(
        "INSERT INTO metric_chunk(run_id, metric_id, level, chunk, n, step0, step1, ts0, ts1, vmin, vmax, vsum, nonfinite, enc, data) "
        "VALUES(?,?,0,?,?,?,?,?,?,?,?,?,?,?,?)",
        {m_run, m_metric, m_chunks, static_cast<int64_t>(m_hot.size()), m_hot.front().step, m_hot.back().step, m_hot.front().tsMs,
         m_hot.back().tsMs, all.min, all.max, sum, nonfinite, encoded.enc, Blob{encoded.data}}));
    ++m_chunks;
    m_sealedStep = m_hot.back().step;
    const std::vector<Point> points = std::exchange(m_hot, {});
    m_saved = 0;
    m_hotSealed = true;
    for (size_t i = 0; i < points.size(); i += kGroup)
        QW_CHECK(addEntry(db, 1, summarise(&points[i], kGroup), points[i].step, points[i].tsMs, points[i + kGroup - 1].tsMs));
    return {};
}

Status SeriesWriter::addEntry(Database& db, size_t level, const Entry& entry, int64_t firstStep, int64_t ts0, int64_t ts1) {
    if (m_tails.size() < level) m_tails.emplace_back();
    {
        Tail& tail = m_tails[level - 1];
        if (tail.entries.empty()) {
            tail.step0 = firstStep;
            tail.ts0 = ts0;
        }
        tail.entries.push_back(entry);
        tail.ts1 = ts1;
        tail.dirty = true;
        if (tail.entries.size() % kGroup != 0) return {};
    }
    const Tail& tail = m_tails[level - 1];
    const size_t first = tail.entries.size() - kGroup;
    // Between two entries no step is missing from view: the upper one starts behind its predecessor.
    const int64_t start = first == 0 ? tail.step0 : tail.entries[first - 1].lastStep + 1;
    const Entry upper = summarise(&tail.entries[first], kGroup);
    const int64_t upperTs0 = tail.ts0, upperTs1 = tail.ts1;
    QW_CHECK(addEntry(db, level + 1, upper, start, upperTs0, upperTs1));
    Tail& full = m_tails[level - 1]; // the vector may have grown
    if (full.entries.size() < kChunkPoints) return {};
    QW_CHECK(writeTail(db, level));
    full.entries.clear();
    ++full.chunk;
    return {};
}

Status SeriesWriter::writeTail(Database& db, size_t level) {
    Tail& tail = m_tails[level - 1];
    tail.dirty = false;
    const Encoded encoded = encodeEntries(tail.entries, tail.step0);
    const Entry all = summarise(tail.entries.data(), tail.entries.size());
    return db.run("INSERT OR REPLACE INTO metric_chunk(run_id, metric_id, level, chunk, n, step0, step1, ts0, ts1, vmin, vmax, vsum, "
                  "nonfinite, enc, data) "
                  "VALUES(?,?,?,?,?,?,?,?,?,?,?,NULL,0,?,?)",
                  {m_run, m_metric, static_cast<int64_t>(level), tail.chunk, static_cast<int64_t>(tail.entries.size()), tail.step0,
                   tail.entries.back().lastStep, tail.ts0, tail.ts1, all.min, all.max, encoded.enc, Blob{encoded.data}});
}

Status SeriesWriter::cut(Database& db, int64_t fromStep) {
    if (m_last.n == 0 || m_last.step < fromStep) return {};
    return rewind(db, fromStep);
}

// Everything is read back, dropped and added again up to the cut: rare, and right whatever the chunks looked like.
Status SeriesWriter::rewind(Database& db, int64_t fromStep) {
    std::vector<Point> points;
    Status bad;
    QW_CHECK(
        db.query("SELECT enc, data, n, step0, ts0 FROM metric_chunk WHERE run_id=? AND metric_id=? AND level=0 AND step0<? ORDER BY chunk",
                 {m_run, m_metric, fromStep}, [&](const Row& row) {
                     auto part = decodePoints(static_cast<int>(row.integer(0)), row.blob(1), static_cast<size_t>(row.integer(2)),
                                              row.integer(3), row.integer(4));
                     if (part)
                         points.insert(points.end(), part->begin(), part->end());
                     else
                         bad = part.error();
                 }));
    QW_CHECK(std::move(bad));
    points.insert(points.end(), m_hot.begin(), m_hot.end());
    std::erase_if(points, [&](const Point& p) { return p.step >= fromStep; });
    for (const char* sql :
         {"DELETE FROM metric_chunk WHERE run_id=? AND metric_id=?", "DELETE FROM metric_hot WHERE run_id=? AND metric_id=?",
          "DELETE FROM metric_last WHERE run_id=? AND metric_id=?"})
        QW_CHECK(db.run(sql, {m_run, m_metric}));
    SeriesWriter fresh;
    fresh.m_run = m_run;
    fresh.m_metric = m_metric;
    fresh.m_dirty = true;
    for (const Point& p : points) QW_CHECK(fresh.add(db, p));
    *this = std::move(fresh);
    return {};
}

Status SeriesWriter::save(Database& db) {
    if (!m_dirty) return {};
    if (m_hotSealed) QW_CHECK(db.run("DELETE FROM metric_hot WHERE run_id=? AND metric_id=? AND step<=?", {m_run, m_metric, m_sealedStep}));
    for (; m_saved < m_hot.size(); ++m_saved) {
        const Point& p = m_hot[m_saved];
        QW_CHECK(db.run("INSERT INTO metric_hot(run_id, metric_id, step, ts_ms, value) VALUES(?,?,?,?,?)",
                        {m_run, m_metric, p.step, p.tsMs, p.value}));
    }
    for (size_t level = 1; level <= m_tails.size(); ++level)
        if (m_tails[level - 1].dirty && !m_tails[level - 1].entries.empty()) QW_CHECK(writeTail(db, level));
    if (m_last.n > 0)
        QW_CHECK(db.run("INSERT OR REPLACE INTO metric_last(run_id, metric_id, step, value, vmin, vmin_step, vmax, vmax_step, n) "
                        "VALUES(?,?,?,?,?,?,?,?,?)",
                        {m_run, m_metric, m_last.step, m_last.value, m_last.min, m_last.minStep, m_last.max, m_last.maxStep, m_last.n}));
    m_hotSealed = m_dirty = false;
    return {};
}

Result<LayerWriter> LayerWriter::load(Database& db, int64_t run, int64_t layer, int64_t kind) {
    LayerWriter w;
    w.m_run = run;
    w.m_layer = layer;
    w.m_kind = kind;
    QW_CHECK(w.loadTail(db));
    return w;
}

Status LayerWriter::loadTail(Database& db) {
    m_points.clear();
    m_chunk = 0;
    Status bad;
    QW_CHECK(db.query("SELECT chunk, n, step0, data FROM layer_stat WHERE run_id=? AND layer_id=? AND kind=? ORDER BY chunk DESC LIMIT 1",
                      {m_run, m_layer, m_kind}, [&](const Row& row) {
                          m_chunk = row.integer(0);
                          auto points = decodeLayerPoints(row.blob(3), static_cast<size_t>(row.integer(1)), row.integer(2));
                          if (points)
                              m_points = *std::move(points);
                          else
                              bad = points.error();
                      }));
    return bad;
}

Status LayerWriter::add(Database& db, const Point& point) {
    QW_CHECK(cut(db, point.step));
    if (m_points.size() == kChunkPoints) {
        QW_CHECK(save(db));
        m_points.clear();
        ++m_chunk;
    }
    m_points.push_back({point.step, 0, point.value});
    m_dirty = true;
    return {};
}

Status LayerWriter::cut(Database& db, int64_t fromStep) {
    while (!m_points.empty() && m_points.back().step >= fromStep) {
        std::erase_if(m_points, [&](const Point& p) { return p.step >= fromStep; });
        m_dirty = true;
        if (!m_points.empty()) break;
        QW_CHECK(db.run("DELETE FROM layer_stat WHERE run_id=? AND layer_id=? AND kind=? AND chunk>=?", {m_run, m_layer, m_kind, m_chunk}));
        m_dirty = false;
        QW_CHECK(loadTail(db));
    }
    return {};
}

Status LayerWriter::save(Database& db) {
    if (!m_dirty || m_points.empty()) return {};
    m_dirty = false;
    const std::string data = encodeLayerPoints(m_points);
    return db.run(
        "INSERT OR REPLACE INTO layer_stat(run_id, layer_id, kind, chunk, step0, step1, n, data) VALUES(?,?,?,?,?,?,?,?)",
        {m_run, m_layer, m_kind, m_chunk, m_points.front().step, m_points.back().step, static_cast<int64_t>(m_points.size()), Blob{data}});
}

} // namespace qw::store
