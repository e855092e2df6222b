// SPDX-License-Identifier: GPL-3.0-or-later
#include "study/compare.h"

#include "stats/compare.h"
#include "stats/recovered.h"
#include "study/judge.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

namespace qw::study {

using records::RowRole;

namespace {

constexpr std::array kMetricOrder{"acc", "acc_norm", "word_perplexity", "byte_perplexity", "bits_per_byte", "loss"};

std::optional<double> metricOf(const TaskFacts& task, const std::string& metric) {
    for (const auto& m : task.result.metrics)
        if (m.name == metric) return m.value;
    return std::nullopt;
}

std::optional<double> errorOf(const TaskFacts& task, const std::string& metric) {
    for (const auto& m : task.result.metrics)
        if (m.name == metric) return m.stderror;
    return std::nullopt;
}

std::vector<Column> columnsOf(const std::vector<FactRow>& rows) {
    std::vector<std::string> tasks;
    for (const FactRow& row : rows)
        for (const TaskFacts& task : row.tasks)
            if (std::ranges::find(tasks, task.result.task) == tasks.end()) tasks.push_back(task.result.task);
    std::ranges::stable_partition(tasks, [](const std::string& name) { return name != "loss"; });
    std::vector<Column> columns;
    for (const std::string& task : tasks)
        for (const char* metric : kMetricOrder) {
            const bool has = std::ranges::any_of(rows, [&](const FactRow& row) {
                return std::ranges::any_of(row.tasks, [&](const TaskFacts& t) { return t.result.task == task && metricOf(t, metric); });
            });
            const stats::MetricKind* kind = stats::metricKind(metric);
            if (has && kind) columns.push_back({task, metric, kind->higherIsBetter, kind->isAccuracy});
        }
    return columns;
}

std::string signature(const FactRow& row) {
    std::vector<std::string> parts;
    for (const TaskFacts& t : row.tasks)
        parts.push_back(t.result.task + "\n" + t.result.taskDigest + "\n" + t.result.settingsHash + "\n" + std::to_string(t.result.limit));
    std::ranges::sort(parts);
    std::string all;
    for (const std::string& part : parts) all += part + "\n";
    return all;
}

int64_t newest(const FactRow& row) {
    int64_t ms = 0;
    for (const TaskFacts& t : row.tasks) ms = std::max(ms, t.result.createdMs);
    return ms;
}

int rank(RowRole role) { return role == RowRole::Float ? 0 : role == RowRole::FloatTrained ? 1 : 2; }

// Lines in the order of the table: float, float trained, then each scheme with PTQ before QAT before exports, schemes in the order they
// came.
std::vector<Line> linesOf(const std::vector<FactRow>& rows) {
    std::vector<Line> lines;
    for (size_t i = 0; i < rows.size(); ++i) {
        const FactRow& row = rows[i];
        const bool one = row.role == RowRole::Float;
        // Evaluations of other items or settings stand in a line of their own, where they can be told not to be comparable.
        const auto same = [&](const Line& l) {
            return l.role == row.role && l.scheme == row.scheme && l.method == row.method && (one || l.block == row.block) &&
                   std::ranges::none_of(l.rows, [&](size_t r) { return rows[r].seed == row.seed && signature(rows[r]) != signature(row); });
        };
        auto line = std::ranges::find_if(lines, same);
        if (line == lines.end()) {
            Line fresh;
            fresh.label = row.label;
            fresh.role = row.role;
            fresh.scheme = row.scheme;
            fresh.method = row.method;
            fresh.block = row.block;
            lines.push_back(std::move(fresh));
            line = lines.end() - 1;
        }
        const auto twice = std::ranges::find_if(line->rows, [&](size_t r) { return rows[r].seed == row.seed; });
        if (twice == line->rows.end())
            line->rows.push_back(i);
        else if (newest(row) > newest(rows[*twice]))
            *twice = i;
    }
    std::vector<std::string> schemes;
    for (const Line& line : lines)
        if (std::ranges::find(schemes, line.scheme) == schemes.end()) schemes.push_back(line.scheme);
    const auto place = [&](const Line& l) {
        const auto scheme = std::ranges::find(schemes, l.scheme) - schemes.begin();
        return std::tuple{rank(l.role), rank(l.role) < 2 ? 0 : scheme, l.role};
    };
    std::ranges::stable_sort(lines, [&](const Line& a, const Line& b) { return place(a) < place(b); });
    return lines;
}

std::string joinSeeds(const std::string& label, uint64_t seed) {
    const std::string tail = " seed " + std::to_string(seed);
    return label.ends_with(tail) ? label.substr(0, label.size() - tail.size()) : label;
}

void link(std::vector<Line>& lines, const std::vector<FactRow>& rows, const std::string& baseline) {
    const auto find = [&](const auto& wanted) {
        const auto found = std::ranges::find_if(lines, wanted);
        return found == lines.end() ? -1 : static_cast<int>(found - lines.begin());
    };
    const int given = baseline.empty() ? -1 : find([&](const Line& l) {
        return std::ranges::any_of(l.rows, [&](size_t r) { return rows[r].run == baseline; });
    });
    const int plain = find([](const Line& l) { return l.role == RowRole::Float; });
    for (size_t i = 0; i < lines.size(); ++i) {
        Line& line = lines[i];
        int reference = given;
        if (reference < 0 && line.role >= RowRole::Ptq) {
            reference = find([&](const Line& l) { return l.role == RowRole::FloatTrained && l.block == line.block; });
            if (reference < 0) reference = plain;
        }
        line.reference = reference == static_cast<int>(i) ? -1 : reference;
        if (line.role == RowRole::Exported && !rows[line.rows.front()].parent.empty())
            line.source = find([&](const Line& l) {
                return std::ranges::any_of(l.rows, [&](size_t r) { return rows[r].run == rows[line.rows.front()].parent; });
            });
        if (line.role != RowRole::Qat) continue;
        for (const char* method : {"rtn", ""}) { // round-to-nearest is the twin; else whichever there is
            if (line.twin >= 0) break;
            line.twin = find([&](const Line& l) {
                return l.role == RowRole::Ptq && l.scheme == line.scheme && l.block == line.block && (!*method || l.method == method);
            });
        }
    }
}

double mean(const std::vector<double>& v) {
    double sum = 0;
    for (const double x : v) sum += x;
    return sum / static_cast<double>(v.size());
}

void fillOwn(Cell& cell, const Line& line, const Column& column, const std::vector<FactRow>& rows) {
    std::vector<double> values;
    for (const size_t r : line.rows) {
        const TaskFacts* task = taskOf(rows[r], column.task);
        const auto value = task ? metricOf(*task, column.metric) : std::nullopt;
        if (!value) continue;
        values.push_back(*value);
        cell.stderror = errorOf(*task, column.metric);
        cell.n = task->result.n;
        if (line.rows.size() == 1) cell.whisker = stats::metricInterval(column.metric, task->items);
    }
    if (values.empty()) return;
    cell.value = mean(values);
    if (values.size() < 2) return;
    double squares = 0;
    for (const double v : values) squares += (v - *cell.value) * (v - *cell.value);
    cell.spread = std::sqrt(squares / static_cast<double>(values.size() - 1));
    cell.stderror.reset();
}

// The largest p over the seeds, and whether b is the better side for every seed.
std::pair<std::optional<double>, bool> significance(const Column& column,
                                                    const std::vector<std::pair<const FactRow*, const FactRow*>>& sides) {
    std::optional<double> p;
    bool better = !sides.empty();
    for (const auto& [a, b] : sides) {
        const TaskFacts *ta = taskOf(*a, column.task), *tb = taskOf(*b, column.task);
        if (!ta || !tb || !whyNotComparable(ta->result, tb->result).empty()) return {};
        const auto one = pairedP(column.metric, ta->items, tb->items);
        if (!one) return {};
        p = std::max(p.value_or(0), *one);
        const auto va = metricOf(*ta, column.metric), vb = metricOf(*tb, column.metric);
        better = better && va && vb && (column.higherIsBetter ? *vb > *va : *vb < *va);
    }
    return {p, better};
}

void fillAgainstReference(Cell& cell, const Line& line, const Line& reference, const Column& column, const std::vector<FactRow>& rows) {
    const auto sides = pairs(reference, line, rows);
    std::vector<double> differences;
    for (const auto& [ref, row] : sides) {
        const TaskFacts *tr = taskOf(*ref, column.task), *t = taskOf(*row, column.task);
        if (!tr || !t) continue;
        cell.notComparable = whyNotComparable(tr->result, t->result);
        if (!cell.notComparable.empty()) return;
        const auto a = metricOf(*tr, column.metric), b = metricOf(*t, column.metric);
        if (a && b) differences.push_back(*b - *a);
    }
    if (differences.empty()) return;
    cell.degradation = mean(differences);
    cell.pReference = significance(column, sides).first;
}

void fillAgainstTwin(Table& table, size_t index, size_t c, const std::vector<FactRow>& rows) {
    Line& line = table.lines[index];
    Cell& cell = line.cells[c];
    const Column& column = table.columns[c];
    const Line& twin = table.lines[static_cast<size_t>(line.twin)];
    const auto both = pairs(twin, line, rows);
    const auto [p, better] = significance(column, both);
    if (both.size() == 1 && p) {
        const auto only = flips(column.metric, taskOf(*both[0].first, column.task)->items, taskOf(*both[0].second, column.task)->items);
        if (only) std::tie(cell.onlyPtq, cell.onlyQat) = *only;
    }
    cell.pTwin = p;
    cell.beatsTwin = p && *p < 0.05 && better;
    if (line.reference < 0) return;
    const Cell& reference = table.lines[static_cast<size_t>(line.reference)].cells[c];
    const Cell& ptq = twin.cells[c];
    if (!cell.value || !cell.notComparable.empty()) return;
    if (!ptq.value || !reference.value || !ptq.notComparable.empty()) {
        cell.recoveredNote = "a value is missing or not comparable";
        return;
    }
    std::optional<double> error;
    if (column.accuracy)
        for (const auto& [a, b] : pairs(table.lines[static_cast<size_t>(line.reference)], twin, rows))
            if (const TaskFacts* ta = taskOf(*a, column.task), *tb = taskOf(*b, column.task); ta && tb)
                error = pairedError(column.metric, ta->items, tb->items);
    const auto share = stats::recovered(*reference.value, *ptq.value, *cell.value, column.higherIsBetter, error);
    cell.recovered = share.percent;
    cell.recoveredNote = share.reason;
}

void fillSize(Line& line, const std::vector<FactRow>& rows) {
    double speed = 0;
    int measured = 0;
    for (const size_t r : line.rows) {
        const FactRow& row = rows[r];
        if (row.bytes > 0) {
            line.bytes = row.bytes;
            line.bytesForecast = row.bytesForecast;
        }
        if (row.bitsPerWeight > 0) line.bitsPerWeight = row.bitsPerWeight;
        if (!row.problem.empty()) line.problem = row.problem;
        line.skipped = row.skipped;
        // The first task that is not the loss on data.eval is what "evaluation" speed means.
        const auto task =
            std::ranges::find_if(row.tasks, [](const TaskFacts& t) { return t.result.task != "loss" && t.result.tokensPerSecond > 0; });
        if (task == row.tasks.end()) continue;
        speed += task->result.tokensPerSecond;
        ++measured;
    }
    if (measured) line.tokensPerSecond = speed / measured;
    if (line.rows.size() > 1)
        line.label = joinSeeds(line.label, rows[line.rows.front()].seed) + " (" + std::to_string(line.rows.size()) + " seeds)";
}

std::vector<FactRow> newestFirst(std::vector<FactRow> rows) {
    for (FactRow& row : rows) { // of each task the newest evaluation
        std::ranges::stable_sort(row.tasks, std::greater<>(), [](const TaskFacts& t) { return t.result.createdMs; });
        std::set<std::string> seen;
        std::erase_if(row.tasks, [&](const TaskFacts& t) { return !seen.insert(t.result.task).second; });
        // Columns stand as they were measured: in the order of the recipe's tasks.
        std::ranges::stable_sort(row.tasks, {}, [](const TaskFacts& t) { return t.result.createdMs; });
    }
    return rows;
}

} // namespace

std::vector<std::pair<const FactRow*, const FactRow*>> pairs(const Line& a, const Line& b, const std::vector<FactRow>& rows) {
    std::vector<std::pair<const FactRow*, const FactRow*>> out;
    for (const size_t rb : b.rows) {
        auto match = std::ranges::find_if(a.rows, [&](size_t ra) { return rows[ra].seed == rows[rb].seed; });
        if (match == a.rows.end() && a.rows.size() == 1) match = a.rows.begin();
        if (match != a.rows.end()) out.emplace_back(&rows[*match], &rows[rb]);
    }
    return out;
}

const TaskFacts* taskOf(const FactRow& row, const std::string& task) {
    const auto found = std::ranges::find_if(row.tasks, [&](const TaskFacts& t) { return t.result.task == task; });
    return found == row.tasks.end() ? nullptr : &*found;
}

std::optional<std::pair<int64_t, int64_t>> flips(const std::string& metric, const std::vector<records::EvalItem>& a,
                                                 const std::vector<records::EvalItem>& b) {
    const auto ha = stats::hits(metric, a), hb = stats::hits(metric, b);
    if (ha.empty() || ha.size() != hb.size()) return std::nullopt;
    std::pair<int64_t, int64_t> only;
    for (size_t i = 0; i < ha.size(); ++i) {
        if (a[i].item != b[i].item) return std::nullopt;
        only.first += ha[i] > hb[i];
        only.second += hb[i] > ha[i];
    }
    return only;
}

std::optional<double> pairedP(const std::string& metric, const std::vector<records::EvalItem>& a, const std::vector<records::EvalItem>& b) {
    const stats::MetricKind* kind = stats::metricKind(metric);
    if (!kind || a.empty() || a.size() != b.size()) return std::nullopt;
    if (kind->isAccuracy) {
        const auto only = flips(metric, a, b);
        return only ? std::optional(stats::mcnemarExact(only->first, only->second)) : std::nullopt;
    }
    const auto compared = stats::compareItems(metric, a, b);
    return compared ? std::optional(compared->p) : std::nullopt;
}

std::optional<double> pairedError(const std::string& metric, const std::vector<records::EvalItem>& a,
                                  const std::vector<records::EvalItem>& b) {
    const auto ha = stats::hits(metric, a), hb = stats::hits(metric, b);
    if (ha.empty() || ha.size() != hb.size()) return std::nullopt;
    std::vector<double> differences(ha.size());
    for (size_t i = 0; i < ha.size(); ++i) differences[i] = hb[i] - ha[i];
    return stats::meanError(differences);
}

std::string whyNotComparable(const records::EvalResult& a, const records::EvalResult& b) {
    const auto number = [](double limit) {
        char text[32];
        std::snprintf(text, sizeof text, "%g", limit);
        return limit == 0 ? std::string("all") : std::string(text);
    };
    if (a.taskDigest != b.taskDigest)
        return a.taskDigest.starts_with("published ") || b.taskDigest.starts_with("published ")
                   ? "published elsewhere, on a task file and with settings that are not known"
                   : "another task file";
    if (a.limit != b.limit) return "limit " + number(b.limit) + " against " + number(a.limit);
    if (a.taskVersion != b.taskVersion) return "task version " + b.taskVersion + " against " + a.taskVersion;
    if (a.n != b.n) return std::to_string(b.n) + " items against " + std::to_string(a.n);
    if (a.settingsHash == b.settingsHash) return {};
    const auto ja = nlohmann::json::parse(a.settings, nullptr, false), jb = nlohmann::json::parse(b.settings, nullptr, false);
    std::string differences;
    if (ja.is_object() && jb.is_object())
        for (const auto& [key, value] : jb.items())
            if (!ja.contains(key) || ja[key] != value)
                differences += (differences.empty() ? "" : ", ") + key + " " + value.dump() + " against " +
                               (ja.contains(key) ? ja[key].dump() : "none");
    return differences.empty() ? std::string("other evaluation settings") : differences;
}

Table compare(const std::vector<FactRow>& input, const CompareOptions& options) {
    const std::vector<FactRow> rows = newestFirst(input);
    Table table;
    table.columns = columnsOf(rows);
    table.lines = linesOf(rows);
    link(table.lines, rows, options.baseline);
    for (Line& line : table.lines) {
        line.cells.resize(table.columns.size());
        fillSize(line, rows);
        for (size_t c = 0; c < table.columns.size(); ++c) fillOwn(line.cells[c], line, table.columns[c], rows);
    }
    for (Line& line : table.lines)
        for (size_t c = 0; line.reference >= 0 && c < table.columns.size(); ++c)
            fillAgainstReference(line.cells[c], line, table.lines[static_cast<size_t>(line.reference)], table.columns[c], rows);
    for (size_t i = 0; i < table.lines.size(); ++i)
        for (size_t c = 0; table.lines[i].twin >= 0 && c < table.columns.size(); ++c) fillAgainstTwin(table, i, c, rows);
    addLnRatios(table, rows);
    addNotes(table, rows);
    table.verdict = judge(table, rows, options.verdict);
    return table;
}

} // namespace qw::study
