// SPDX-License-Identifier: GPL-3.0-or-later
// What: one metric of one run on its way into hot rows, 512-point chunks and their summaries.
// Why here: the state is a pure function of the points, however they are split into transactions, so that a rebuild gives the same rows.
// Limits: a point at or before the newest step replaces everything of the series from that step on (a rollback inside an attempt).
#pragma once

#include "store/chunk_codec.h"
#include "store/database.h"

#include <limits>

namespace qw::store {

class SeriesWriter {
public:
    [[nodiscard]] static Result<SeriesWriter> load(Database& db, int64_t run, int64_t metric);
    [[nodiscard]] Status add(Database& db, const Point& point);
    [[nodiscard]] Status cut(Database& db, int64_t fromStep); // forgets points with step >= fromStep
    [[nodiscard]] Status save(Database& db);                  // what changed since load or the last save

private:
    struct Tail { // the last chunk of a level above 0, not full
        int64_t chunk = 0, step0 = 0, ts0 = 0, ts1 = 0;
        std::vector<Entry> entries;
        bool dirty = false;
    };
    [[nodiscard]] Status seal(Database& db);
    [[nodiscard]] Status addEntry(Database& db, size_t level, const Entry& entry, int64_t firstStep, int64_t ts0, int64_t ts1);
    [[nodiscard]] Status writeTail(Database& db, size_t level);
    [[nodiscard]] Status rewind(Database& db, int64_t fromStep);
    void countPoint(const Point& point);

    int64_t m_run = 0, m_metric = 0;
    int64_t m_chunks = 0;                                       // sealed chunks of level 0
    int64_t m_sealedStep = std::numeric_limits<int64_t>::min(); // newest step inside them
    std::vector<Point> m_hot;
    size_t m_saved = 0;       // the first hot points that are rows already
    bool m_hotSealed = false; // rows up to m_sealedStep must go
    bool m_dirty = false;
    std::vector<Tail> m_tails; // level 1 first
    struct {
        int64_t step = 0, minStep = 0, maxStep = 0, n = 0;
        double value = 0, min = std::numeric_limits<double>::quiet_NaN(), max = std::numeric_limits<double>::quiet_NaN();
    } m_last;
};

// Statistics of one layer: the same points without times and summaries; the newest chunk is rewritten.
class LayerWriter {
public:
    [[nodiscard]] static Result<LayerWriter> load(Database& db, int64_t run, int64_t layer, int64_t kind);
    [[nodiscard]] Status add(Database& db, const Point& point);
    [[nodiscard]] Status cut(Database& db, int64_t fromStep);
    [[nodiscard]] Status save(Database& db);

private:
    [[nodiscard]] Status loadTail(Database& db);
    int64_t m_run = 0, m_layer = 0, m_kind = 0, m_chunk = 0;
    std::vector<Point> m_points;
    bool m_dirty = false;
};

} // namespace qw::store
