// SPDX-License-Identifier: GPL-3.0-or-later
// What: results that others published, read from a file: a table of values (CSV), or the results file of lm-evaluation-harness (JSON).
// Why here: rows of a comparison that we did not measure; they carry no items, so no paired test is ever made with them.
// Limits: metrics that stats::metricKind knows; the task's file and settings stay unknown.
#pragma once

#include "base/result.h"
#include "records/run.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qw::study {

struct PublishedTask {
    std::string name, version;
    int64_t n = 0;                            // items; 0: not told
    std::vector<records::EvalMetric> metrics; // accuracies as shares of 1
};
struct PublishedRow {
    std::string name, scheme;
    records::RowRole role = records::RowRole::Float;
    int64_t bytes = 0;        // of the weights; 0: not told
    double bitsPerWeight = 0; // 0: not told
    std::vector<PublishedTask> tasks;
};

// CSV with a header line: name, task, metric and value are required; role (float, ptq, qat), scheme, stderr, n, bytes and bits are
// optional. One value a line; "57.86%" is 0.5786. config.invalid with file:line for what cannot be read.
[[nodiscard]] Result<std::vector<PublishedRow>> readPublished(const std::filesystem::path& file);
[[nodiscard]] Result<std::vector<PublishedRow>> parsePublished(std::string_view text, const std::string& fileName);

} // namespace qw::study
