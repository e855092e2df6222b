// SPDX-License-Identifier: GPL-3.0-or-later
// What: the comparison table (ui.md 4.8, evaluation.md 9) from facts: degradation, recovered share, paired significance, verdict.
// Limits: everything here is computed from the rows each time; nothing of it is stored.
#pragma once

#include "records/recipe.h"
#include "records/run.h"
#include "stats/compare.h"
#include "stats/intervals.h"

#include <optional>
#include <string>
#include <vector>

namespace qw::study {

struct TaskFacts {
    records::EvalResult result;
    std::vector<records::EvalItem> items; // empty: imported without; no paired tests then
};

// One run's facts, newest evaluation of each task.
struct FactRow {
    std::string run;    // uid
    std::string parent; // exported rows: uid of the run that was written
    std::string label;
    records::RowRole role = records::RowRole::Float;
    std::string scheme, method, block;
    uint64_t seed = 42;
    std::vector<TaskFacts> tasks;
    int64_t bytes = 0; // weights of the model folder; quantized rows: of the native folder
    bool bytesForecast = false;
    double bitsPerWeight = 0;
    std::string problem;              // why results are missing, e.g. "failed: …"
    std::vector<std::string> skipped; // layers that on_indivisible left out
};

struct Column {
    std::string task, metric;
    bool higherIsBetter = false, accuracy = false;
};

struct Cell {
    std::optional<double> value, stderror;  // mean over the seeds; accuracies as shares of 1
    std::optional<double> spread;           // sample deviation over the seeds, when there are several
    std::optional<stats::Interval> whisker; // 95 %: Wilson for accuracies, bootstrap over documents else; one seed only
    int64_t n = 0;
    std::string notComparable;         // why this value must not be held against the reference
    std::optional<double> degradation; // value - reference, signed; mean over the seeds
    std::optional<double> pReference;  // paired, against the reference; the largest over the seeds
    std::optional<double> pTwin;       // QAT rows: paired, against PTQ of the same scheme
    int64_t onlyQat = 0, onlyPtq = 0;  // QAT rows, accuracies, one seed: items that only this side has right
    bool beatsTwin = false;            // QAT better than PTQ beyond noise (p < 0.05)
    std::optional<double> recovered;   // QAT rows: percent
    std::string recoveredNote;         // why there is none, or a flag beside it
};

// All seeds of one (role, scheme, method, block).
struct Line {
    std::string label;
    records::RowRole role = records::RowRole::Float;
    std::string scheme, method, block;
    std::vector<size_t> rows;                            // of the input
    int reference = -1;                                  // line that it is held against
    int twin = -1;                                       // QAT: the PTQ line of its scheme
    int source = -1;                                     // exported: the line that was written
    std::vector<Cell> cells;                             // one a column
    std::vector<std::optional<stats::LnRatio>> lnRatios; // one a task of Table::lnTasks, against the reference
    int64_t bytes = 0;
    bool bytesForecast = false;
    double bitsPerWeight = 0, tokensPerSecond = 0;
    std::string problem;
    std::vector<std::string> skipped;
};

struct Judgement {
    std::string metric;                // "task.metric"
    std::string sentence;              // never empty
    int line = -1;                     // the winner; -1: none of these
    int nearest = -1;                  // the nearest miss
    std::optional<double> loss, bound; // of the winner or the nearest miss; percentage points, or percent
    std::optional<int64_t> itemsNeeded;
};

struct Table {
    std::vector<Column> columns;
    std::vector<Line> lines;
    std::vector<std::string> lnTasks; // texts whose documents were scored in two lines that may be held against each other
    Judgement verdict;
    std::vector<std::string> notes; // not comparable, skipped layers, failed members, how significance was tested
};

struct CompareOptions {
    records::Verdict verdict;
    std::string baseline; // run uid that every row is held against; empty: the rule of recipe.md 2
};

// Keeps the newest evaluation per (scheme, role, method, block, seed) and task.
[[nodiscard]] Table compare(const std::vector<FactRow>& rows, const CompareOptions& options);

} // namespace qw::study
