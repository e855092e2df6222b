// SPDX-License-Identifier: GPL-3.0-or-later
// What: the verdict of a table (recipe.md 2), and the small paired questions that table and verdict share.
#pragma once

#include "study/compare.h"

namespace qw::study {

[[nodiscard]] const TaskFacts* taskOf(const FactRow& row, const std::string& task); // null when the row has none
// Rows of two lines that share a seed; a line of one row (a start model) stands for every seed.
[[nodiscard]] std::vector<std::pair<const FactRow*, const FactRow*>> pairs(const Line& a, const Line& b, const std::vector<FactRow>& rows);
// Exact McNemar for accuracies, paired bootstrap else; nothing when the items are not the same ones.
[[nodiscard]] std::optional<double> pairedP(const std::string& metric, const std::vector<records::EvalItem>& a,
                                            const std::vector<records::EvalItem>& b);
// Items that only a, and only b, has right; nothing for other metrics or other items.
[[nodiscard]] std::optional<std::pair<int64_t, int64_t>> flips(const std::string& metric, const std::vector<records::EvalItem>& a,
                                                               const std::vector<records::EvalItem>& b);
// Standard error of the accuracy difference: sample deviation of the per-row differences / sqrt n.
[[nodiscard]] std::optional<double> pairedError(const std::string& metric, const std::vector<records::EvalItem>& a,
                                                const std::vector<records::EvalItem>& b);
// Empty: b may be held against a.
[[nodiscard]] std::string whyNotComparable(const records::EvalResult& a, const records::EvalResult& b);

// ln(perplexity / the reference's) of every line and text, the mean over the seeds.
void addLnRatios(Table& table, const std::vector<FactRow>& rows);
void addNotes(Table& table, const std::vector<FactRow>& rows);
// Several seeds: the mean loss, and the largest bound of them.
[[nodiscard]] Judgement judge(const Table& table, const std::vector<FactRow>& rows, const records::Verdict& rule);

} // namespace qw::study
