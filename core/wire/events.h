// SPDX-License-Identifier: GPL-3.0-or-later
// What: every event an engine sends, as plain structs, and the one table of their names. The guide prints this table.
// Fields on the wire are declared once, in json_events.cpp.
// An event is a line on the protocol and a record of the run's events.qlog, with the same seq (engine.md 2.2, 4).
#pragma once

#include "records/run.h"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace qw::wire {

struct Hello { // first line of an engine; not in the log
    int protoMin = 1, protoMax = 1;
    std::string engineVersion, buildId, libtorch, cuda; // cuda empty: CPU only
    std::vector<std::string> devices, features;
};
struct Heartbeat { // every second; not in the log
    std::string phase;
    int64_t step = 0, lastProgressMonoNs = 0, rssBytes = 0; // clock of Event::monoNs
};
struct StateChange {
    records::RunState state = records::RunState::Created;
    std::string phase; // load | tokenise | train | convert | eval | export; empty outside running
    std::string reason;
};
struct Attempt { // one engine start on this run; later points with step >= fromStep replace earlier ones
    int attempt = 1;
    std::string host, device, libtorch, buildId;
    int64_t pid = 0, fromStep = 0;
    int threads = 0;
    bool bitwise = true; // false: this resume differs in build, threads or flags
};
struct ModelFacts { // what was loaded and what the scheme does to it
    std::string path, arch, fingerprint, dtype, exportDtype;
    int64_t parameters = 0, bytes = 0;
    int64_t quantizedBytes = 0; // forecast of the native folder's weights; 0 without a scheme
    double bitsPerWeight = 0;   // over all matrices the scheme was aimed at
    int64_t totalSteps = 0;     // 0 when nothing is trained
    std::vector<records::LayerInfo> layers;
};
struct Progress {
    std::string phase, unit;
    int64_t done = 0, total = 0;
    double etaSeconds = -1; // below 0: unknown
};
// Of one value over events that were merged for a slow client; non-finite values are left out of min, max and mean.
struct MergedSpan {
    double min = 0, max = 0, mean = 0;
    int64_t n = 0; // finite values
};
struct Metrics { // all metrics of one step
    int64_t step = 0;
    std::vector<std::pair<std::string, double>> values; // names of training.md 15
    int64_t merged = 0;                                 // events merged into this one; 0: none. Never in the log
    std::vector<MergedSpan> spans;                      // one a value when merged > 0
};
struct LayerStats { // one layer at one step
    int64_t step = 0;
    std::string layer;
    std::vector<std::pair<std::string, double>> values; // w_sqnr, clip_frac, scale_drift_mean, scale_drift_max, flip_rate, act_sqnr …
    int64_t merged = 0;
    std::vector<MergedSpan> spans;
};
struct CheckpointSaved {
    int64_t step = 0, bytes = 0;
    std::string path; // relative to the run folder
    bool best = false;
};
struct EvalDone {
    records::EvalResult result;
};
// kind: model (HF folder of latent weights) | native (quantized folder), both also as checkpoint_model, checkpoint_native of a step; export
struct Artifact {
    std::string kind, path, hash, info; // path relative to the run folder, of an export absolute; info: JSON object or empty
    int64_t bytes = 0, step = -1;
};
struct Notice { // "warning" and "error"
    bool isError = false;
    std::string code, message, hint, detail;
};
struct LogLine {
    int level = 1; // 0 debug, 1 info, 2 warning, 3 error
    std::string text;
    int64_t suppressed = 0; // lines left out before this one; never in the log
};
struct Settings { // cadences changed while a run trains (train.set): they hold for the steps behind this one
    int64_t step = 0;
    std::vector<std::pair<std::string, double>> values; // by recipe key
};
struct Bye {
    int exitCode = 0;
    std::string reason;
};

struct RawEvent {           // an event of a newer engine: kept as it came
    std::string name, data; // data: JSON text
};

using Payload = std::variant<Hello, Heartbeat, StateChange, Attempt, ModelFacts, Progress, Metrics, LayerStats, CheckpointSaved, EvalDone,
                             Artifact, Notice, LogLine, Bye, Settings, RawEvent>;

struct Event {
    std::string run;    // uid; empty for hello
    int64_t seq = 0;    // strictly increasing per run = record number in the log; 0: not in the log
    int64_t tsMs = 0;   // wall clock
    int64_t monoNs = 0; // monotonic, since the engine started (JSON integers end at 2^53)
    Payload payload;
};

struct EventRow {
    const char* name; // "ev" on the wire
    bool logged;      // is written to events.qlog
    bool coalescable; // may be merged on the protocol when the client is slow
    const char* meaning;
};
[[nodiscard]] const std::vector<EventRow>& eventTable(); // one row per name, in the order of Payload; Notice has two
// The row of a payload; a warning or error line of the log is not coalescable, whatever its row says (isCoalescable).
[[nodiscard]] const EventRow& eventRow(const Payload& payload);
[[nodiscard]] bool isCoalescable(const Payload& payload);
[[nodiscard]] std::string eventName(const Payload& payload);

} // namespace qw::wire
