// SPDX-License-Identifier: GPL-3.0-or-later
// What: evaluation tasks as text: user files checked line by line (evaluation.md 10), cleaned and cut as lm-evaluation-harness does (3, 5).
// Limits: knows no tokens and no model; core/eval turns these into requests.
#pragma once

#include "base/result.h"
#include "records/recipe.h"
#include "records/run.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qw::tasks {

struct ChoiceRow { // a multiple-choice row after cleaning
    std::string query;
    std::vector<std::string> choices; // without the delimiter space
    std::vector<int64_t> chars;       // code points of each choice
    int gold = 0;
    int64_t line = 0; // in the file, from 1
};
struct Document {
    std::string text;             // what is scored: detokenised for wikitext
    int64_t words = 0, bytes = 0; // counted on the text before detokenising
    int64_t line = 0;
};

struct TaskData {
    std::string kind;      // hellaswag | wikitext | plain | jsonl
    std::string version;   // "1.0" for hellaswag, "2.0" for wikitext, else "1"
    std::string digest;    // XXH3-128 of the file
    std::string knownFile; // "official wikitext-2-raw-v1 test", … or empty: custom
    std::vector<ChoiceRow> rows;
    std::vector<Document> documents;
    std::vector<std::string> notes; // e.g. "contexts not re-capitalised"
    int64_t total = 0;              // items in the file, before the limit
};

// Reads and checks the whole file; up to 20 errors are joined into one data.unreadable (or data.empty), each "path:line: field: what".
[[nodiscard]] Result<TaskData> loadTask(const std::string& kind, const std::filesystem::path& path, double limit);
[[nodiscard]] Result<TaskData> loadTask(const records::EvalTask& task);
// mode, or the name where that is one of the kinds; config.invalid else.
[[nodiscard]] Result<std::string> taskKind(const records::EvalTask& task);

// Exposed for tests and for the reports.
[[nodiscard]] std::string cleanHellaswag(std::string_view text);
[[nodiscard]] std::string capitalise(std::string_view text); // Python's str.capitalize
[[nodiscard]] std::vector<std::string> wikitextPages(std::string_view text);
[[nodiscard]] std::string detokeniseWikitext(std::string_view page);
[[nodiscard]] int64_t countWords(std::string_view text); // pieces of Python's re.split(r"\s+", text)

// acc and acc_norm of scored rows; word_perplexity, byte_perplexity, bits_per_byte of scored documents (evaluation.md 3, 7).
[[nodiscard]] std::vector<records::EvalMetric> taskMetrics(const std::string& kind, const std::vector<records::EvalItem>& items);
// Fills correct and correctNorm from ll.
void judgeChoice(const ChoiceRow& row, records::EvalItem& item);

} // namespace qw::tasks
