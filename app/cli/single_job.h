// SPDX-License-Identifier: GPL-3.0-or-later
// What: what `eval` and `ptq` share: options to a recipe, a recorded run driven to its end, its results as JSON or text.
#pragma once

#include "command_line.h"
#include "records/recipe.h"
#include "store/store.h"
#include "wire/run_folder.h"

#include <string>
#include <vector>

namespace qw::cli {

struct SingleJob {
    std::string model, device = "auto", dtype, bos = "auto", scheme, project;
    std::vector<std::string> tasks, sets;
    double limit = 0;
    int64_t maxLength = 0, batchTokens = 0, threads = 0;
    bool json = false;

    void declareEval(CommandLine& line); // options of evaluation
    void declareCommon(CommandLine& line);
};

// The recipe with tasks, scheme and settings filled in; usage and config errors name the option.
[[nodiscard]] Result<records::Recipe> recipeOf(const SingleJob& job);

struct FinishedJob {
    store::RunInfo run;
    std::vector<store::StoredResult> results;
};
// Starts the engine of a run again, with progress on standard error; {"run", "state"} as JSON text. wait: for another job's end.
[[nodiscard]] Result<std::string> driveAgain(store::Store& store, const wire::RunFolder& folder, bool wait);
// Drives it with progress on standard error. An interrupt is engine.cancelled.
[[nodiscard]] Result<FinishedJob> runSingle(store::Store& store, records::RunIdentity identity, const records::Recipe& recipe, bool quiet);
// The same for a run whose folder is made. wait: for its turn in the queue and until no other job of the project runs.
[[nodiscard]] Result<FinishedJob> driveSingle(store::Store& store, const wire::RunFolder& folder, const std::string& uid, bool quiet,
                                              bool wait);

// {"tasks":{name:{metric, metric_stderr, n}}, "settings":{…}} as JSON text without the outer braces' extras; and for people.
[[nodiscard]] std::string resultsJson(const FinishedJob& job, const std::string& extraKey = {}, const std::string& extraJson = {});
void printResults(const FinishedJob& job);

} // namespace qw::cli
