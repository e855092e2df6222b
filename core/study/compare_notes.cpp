// SPDX-License-Identifier: GPL-3.0-or-later
// What: what stands under a comparison: why values are missing or not comparable, what an export scores, layers left out.
#include "study/judge.h"

#include <set>

namespace qw::study {
namespace {

// What a shipped folder scores against the run it was written from, item by item.
void addSourceNotes(Table& table, const Line& line, const std::vector<FactRow>& rows) {
    const Line& source = table.lines[static_cast<size_t>(line.source)];
    int64_t all = 0, different = 0;
    for (const auto& [before, after] : pairs(source, line, rows))
        for (const TaskFacts& t : after->tasks) {
            const TaskFacts* own = taskOf(*before, t.result.task);
            if (!own || own->items.size() != t.items.size() || !whyNotComparable(own->result, t.result).empty()) continue;
            all += static_cast<int64_t>(t.items.size());
            for (size_t i = 0; i < t.items.size(); ++i) different += own->items[i].ll != t.items[i].ll;
        }
    if (all == 0) return;
    table.notes.push_back(line.label + ": " +
                          (different == 0 ? "the same log-likelihoods as " + source.label + " on all "
                                          : "log-likelihoods differ from " + source.label + " on " + std::to_string(different) + " of ") +
                          std::to_string(all) + " items.");
}

} // namespace

void addNotes(Table& table, const std::vector<FactRow>& rows) {
    for (const Line& line : table.lines) {
        if (line.source >= 0) addSourceNotes(table, line, rows);
        if (!line.problem.empty()) table.notes.push_back(line.label + ": " + line.problem);
        std::set<std::string> said;
        for (size_t c = 0; c < table.columns.size(); ++c) {
            const std::string& why = line.cells[c].notComparable;
            if (!why.empty() && said.insert(table.columns[c].task + why).second)
                table.notes.push_back(line.label + ", " + table.columns[c].task + ": not comparable: " + why);
            const Cell& cell = line.cells[c];
            if (cell.recoveredNote.empty() || !cell.value) continue;
            const std::string what = cell.recovered ? "recovered is uncertain: " : "recovered is n/a: ";
            if (said.insert(what + cell.recoveredNote + table.columns[c].metric).second)
                table.notes.push_back(line.label + ", " + table.columns[c].task + " " + table.columns[c].metric + ": " + what +
                                      cell.recoveredNote);
        }
        if (line.skipped.empty()) continue;
        std::string names;
        for (size_t i = 0; i < line.skipped.size() && i < 8; ++i) names += (i ? ", " : "") + line.skipped[i];
        if (line.skipped.size() > 8) names += " and " + std::to_string(line.skipped.size() - 8) + " more";
        table.notes.push_back(line.label + ": not quantized, the group size does not divide them: " + names);
    }
}

} // namespace qw::study
