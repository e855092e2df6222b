// SPDX-License-Identifier: GPL-3.0-or-later
// What: turns events of one run into rows, inside the caller's transaction. Internal to core/store.
// Limits: after a failed transaction a projector is worthless: its caches are ahead of the database.
#pragma once

#include "store/series_writer.h"
#include "wire/events.h"
#include "wire/run_folder.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace qw::store {

struct LoggedEvent {
    int64_t seq = 0;
    wire::Event event;
    std::vector<records::EvalItem> items; // of an eval.result, read before the transaction
    std::string itemsProblem;             // why there are none
};

class Projector {
public:
    explicit Projector(int64_t runId) : m_run(runId) {}
    [[nodiscard]] Status apply(Database& db, const LoggedEvent& logged);
    [[nodiscard]] Status save(Database& db); // buffered series; call before COMMIT
    [[nodiscard]] int64_t runId() const { return m_run; }
    // Deletes everything projected for the run, so that it can be projected from the start.
    [[nodiscard]] static Status clear(Database& db, int64_t runId);

private:
    [[nodiscard]] Status put(Database& db, const LoggedEvent& e, const wire::StateChange& p);
    [[nodiscard]] Status put(Database& db, const LoggedEvent& e, const wire::Attempt& p);
    [[nodiscard]] Status put(Database& db, const LoggedEvent& e, const wire::ModelFacts& p);
    [[nodiscard]] Status put(Database& db, const LoggedEvent& e, const wire::Metrics& p);
    [[nodiscard]] Status put(Database& db, const LoggedEvent& e, const wire::LayerStats& p);
    [[nodiscard]] Status put(Database& db, const LoggedEvent& e, const wire::CheckpointSaved& p);
    [[nodiscard]] Status put(Database& db, const LoggedEvent& e, const wire::EvalDone& p);
    [[nodiscard]] Status put(Database& db, const LoggedEvent& e, const wire::Artifact& p);
    [[nodiscard]] Status put(Database& db, const LoggedEvent& e, const wire::Notice& p);
    [[nodiscard]] Status put(Database& db, const LoggedEvent& e, const wire::Bye& p);
    template<class T> [[nodiscard]] Status put(Database&, const LoggedEvent&, const T&) { return {}; } // kept as an event row only

    [[nodiscard]] Status eventRow(Database& db, const LoggedEvent& e, int level, const std::string& kind, const std::string& body);
    [[nodiscard]] Status artifactRow(Database& db, const LoggedEvent& e, const std::string& kind, const wire::Artifact& p);
    [[nodiscard]] Result<int64_t> metricId(Database& db, const std::string& name);
    [[nodiscard]] Result<int64_t> layerId(Database& db, const std::string& name);
    [[nodiscard]] Result<SeriesWriter*> series(Database& db, int64_t metric);
    [[nodiscard]] Result<LayerWriter*> layerSeries(Database& db, int64_t layer, int64_t kind);
    [[nodiscard]] Status cutFrom(Database& db, int64_t step);

    int64_t m_run;
    std::map<std::string, int64_t> m_metricIds, m_layerIds;
    std::map<int64_t, SeriesWriter> m_series;
    std::map<std::pair<int64_t, int64_t>, LayerWriter> m_layerSeries;
    int64_t m_step = -1;       // newest step of a metric in this batch
    int64_t m_lastEventMs = 0; // newest time in this batch
};

// Items of an eval.result of this run; the path must stay inside the folder.
[[nodiscard]] Result<std::vector<records::EvalItem>> readItems(const wire::RunFolder& folder, const std::string& path);

} // namespace qw::store
