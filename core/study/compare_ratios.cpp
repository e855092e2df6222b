// SPDX-License-Identifier: GPL-3.0-or-later
// What: how far each line's perplexity is from its reference's, as ln of their ratio (ui.md 4.8).
#include "study/judge.h"

#include <algorithm>

namespace qw::study {
namespace {

std::optional<stats::LnRatio> ratioOf(const Line& reference, const Line& line, const std::string& task, const std::vector<FactRow>& rows) {
    std::optional<stats::LnRatio> sum;
    double count = 0;
    for (const auto& [a, b] : pairs(reference, line, rows)) {
        const TaskFacts *ta = taskOf(*a, task), *tb = taskOf(*b, task);
        if (!ta || !tb || !whyNotComparable(ta->result, tb->result).empty()) return std::nullopt;
        const auto one = stats::lnPerplexityRatio(ta->items, tb->items);
        if (!one) return std::nullopt;
        sum = sum ? stats::LnRatio{sum->value + one->value, {}} : *one; // several seeds: no error of one evaluation
        ++count;
    }
    if (sum) sum->value /= count;
    return sum;
}

} // namespace

void addLnRatios(Table& table, const std::vector<FactRow>& rows) {
    std::vector<std::string> tasks;
    for (const Column& column : table.columns)
        if (!column.accuracy && column.task != "loss" && std::ranges::find(tasks, column.task) == tasks.end()) tasks.push_back(column.task);
    for (const std::string& task : tasks) {
        std::vector<std::optional<stats::LnRatio>> ratios;
        for (const Line& line : table.lines)
            ratios.push_back(line.reference < 0 ? std::nullopt
                                                : ratioOf(table.lines[static_cast<size_t>(line.reference)], line, task, rows));
        if (std::ranges::none_of(ratios, [](const auto& one) { return one.has_value(); })) continue;
        table.lnTasks.push_back(task);
        for (size_t i = 0; i < ratios.size(); ++i) table.lines[i].lnRatios.push_back(ratios[i]);
    }
}

} // namespace qw::study
