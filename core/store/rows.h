// SPDX-License-Identifier: GPL-3.0-or-later
// What: what the store gives back: facts only, nothing that can be computed from them.
#pragma once

#include "base/error.h"
#include "records/run.h"
#include "wire/events.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace qw::store {

struct StudyInfo {
    std::string uid, name, notes;
    std::vector<std::string> tags;
    int64_t createdMs = 0;
    bool archived = false;
    std::filesystem::path dir; // <project>/studies/<ulid>-<slug>; empty when the folder is gone
};

// Which run stands for a row of a study; a run may serve several studies.
struct StudyRow {
    std::string studyUid;
    records::RowRole role = records::RowRole::Float;
    std::string scheme, method, block;
    uint64_t seed = 0;
    std::string runUid;
};

struct RunInfo {
    records::RunIdentity identity;
    std::filesystem::path dir; // absolute
    records::RunState state = records::RunState::Created;
    std::string phase, configHash, config; // config: JSON text of config.resolved.json, "{}" without one
    std::string env;                       // JSON of the newest attempt: host, device, libtorch, threads, build
    std::optional<wire::ModelFacts> model; // without layers
    int64_t startedMs = 0, endedMs = 0;    // 0: not yet
    int64_t step = 0, totalSteps = 0;
    std::optional<int> exitCode;
    std::optional<Error> error; // of the last error event, or why it is interrupted
    bool bitwise = true;
    std::optional<int64_t> queuePos;
    int64_t trashedMs = 0;
    int64_t ingestSeq = 0;
    int64_t lastEventMs = 0;
};

struct AttemptInfo {
    int attempt = 1;
    std::string host, reason;
    int64_t pid = 0, fromStep = 0, toStep = 0, startedMs = 0, endedMs = 0;
};

struct ArtifactInfo { // kind: model | native | checkpoint | export
    std::string kind, path, hash, info;
    int64_t step = -1, bytes = 0, createdMs = 0;
};

struct EventInfo {
    int64_t seq = 0, tsMs = 0;
    int level = 1;          // 0 debug, 1 info, 2 warning, 3 error
    std::string kind, body; // body: the payload's JSON
};

// At most maxPoints buckets; where the points are fewer, one bucket a point with min = max = mean = value.
struct SeriesData {
    std::vector<int64_t> step; // the last step of a bucket
    std::vector<double> min, max, mean;
};

struct MetricSummary {
    std::string name;
    int64_t n = 0, step = 0, minStep = 0, maxStep = 0;
    double value = 0, min = 0, max = 0; // value: newest; min and max over finite values
};

struct LayerStatSummary {
    std::string layer, kind; // kind: w_sqnr, clip_frac …
    int64_t n = 0;
};

struct StoredResult {
    std::string runUid;
    records::EvalResult result;
    int64_t items = 0; // stored items; 0: imported without
};

// Checkpoints are removed by their run and by going back; exports are where the user put them.
[[nodiscard]] bool isOnDisk(const RunInfo& run, const ArtifactInfo& artifact);

// Everything of one run that a list shows.
struct RunRecord {
    RunInfo info;
    std::vector<MetricSummary> metrics;  // by name
    std::vector<StoredResult> results;   // oldest first
    std::vector<ArtifactInfo> artifacts; // oldest first
};

struct TrashedRun {
    std::string uid, name;
    std::filesystem::path dir;
    int64_t bytes = 0; // of all files in it
    int64_t trashedMs = 0;
};

struct RunFilter {
    std::string study;                      // uid; empty: all
    std::optional<records::RunState> state; //
    std::string kind, scheme;               // empty: all
    bool trashed = false;                   // also those in Trash
};

} // namespace qw::store
