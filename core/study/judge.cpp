// SPDX-License-Identifier: GPL-3.0-or-later
#include "study/judge.h"

#include "stats/compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace qw::study {

using records::RowRole;

namespace {

struct Candidate {
    int line = -1;
    double loss = 0, lower = 0, bound = 0, deviation = 0;
    int64_t n = 0;
    [[nodiscard]] bool passes(double maxLoss) const { return loss <= maxLoss && bound <= 2 * maxLoss; }
    // How far it is from passing; 1 is the limit.
    [[nodiscard]] double miss(double maxLoss) const {
        return maxLoss > 0 ? std::max(loss / maxLoss, bound / (2 * maxLoss)) : std::max(loss, bound);
    }
};

std::string fixed(double value, int digits) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value == 0 ? 0.0 : value);
    return text;
}

std::string sizeWords(int64_t bytes) {
    const auto b = static_cast<double>(bytes);
    return b >= 1e9 ? fixed(b / 1e9, 2) + " GB" : b >= 1e6 ? fixed(b / 1e6, 2) + " MB" : fixed(b / 1e3, 1) + " kB";
}

std::pair<std::string, std::string> splitMetric(const std::string& name) {
    const size_t dot = name.rfind('.');
    return {name.substr(0, dot), dot == std::string::npos ? std::string() : name.substr(dot + 1)};
}

std::string defaultMetric(const Table& table) {
    const auto has = [&](const char* metric) {
        return std::ranges::find_if(table.columns, [&](const Column& c) { return c.metric == metric; });
    };
    for (const Column& c : table.columns)
        if (c.task == "hellaswag" && c.metric == "acc_norm") return "hellaswag.acc_norm";
    if (table.columns.empty()) return {};
    const std::string& first = table.columns.front().task;
    for (const char* metric : {"acc_norm", "word_perplexity", "loss"})
        if (const auto c = has(metric); c != table.columns.end() && c->task == first) return first + "." + metric;
    return first + "." + table.columns.front().metric;
}

// Rows of both lines with a common seed; the start model's single row stands for every seed.
std::vector<std::pair<const TaskFacts*, const TaskFacts*>> sides(const Line& a, const Line& b, const std::vector<FactRow>& rows,
                                                                 const std::string& task) {
    std::vector<std::pair<const TaskFacts*, const TaskFacts*>> out;
    for (const size_t rb : b.rows)
        for (const size_t ra : a.rows) {
            if (rows[ra].seed != rows[rb].seed && a.rows.size() > 1) continue;
            const TaskFacts *ta = taskOf(rows[ra], task), *tb = taskOf(rows[rb], task);
            if (ta && tb && whyNotComparable(ta->result, tb->result).empty()) out.emplace_back(ta, tb);
        }
    return out;
}

std::optional<Candidate> candidate(const Table& table, int index, const std::vector<FactRow>& rows, const std::string& task,
                                   const std::string& metric) {
    const Line& line = table.lines[static_cast<size_t>(index)];
    if ((line.role != RowRole::Ptq && line.role != RowRole::Qat) || line.reference < 0) return std::nullopt;
    Candidate c;
    c.line = index;
    c.bound = -std::numeric_limits<double>::infinity();
    int seeds = 0;
    for (const auto& [reference, own] : sides(table.lines[static_cast<size_t>(line.reference)], line, rows, task)) {
        const auto compared = stats::compareItems(metric, reference->items, own->items);
        if (!compared) return std::nullopt;
        c.loss += compared->loss;
        c.lower += compared->lossLower;
        c.bound = std::max(c.bound, compared->lossUpper);
        c.deviation = std::max(c.deviation, compared->deviation);
        c.n = compared->difference.n;
        ++seeds;
    }
    if (seeds == 0) return std::nullopt;
    c.loss /= seeds;
    c.lower /= seeds;
    return c;
}

bool beats(const Table& table, const Candidate& qat, const Candidate& ptq, const std::vector<FactRow>& rows, const std::string& task,
           const std::string& metric) {
    if (qat.loss >= ptq.loss) return false;
    const auto both = sides(table.lines[static_cast<size_t>(ptq.line)], table.lines[static_cast<size_t>(qat.line)], rows, task);
    return !both.empty() && std::ranges::all_of(both, [&](const auto& pair) {
        const auto p = pairedP(metric, pair.first->items, pair.second->items);
        return p && *p < 0.05;
    });
}

// Smaller is better; forecast sizes count as they are, and rows without a size by their bits per weight.
double sizeOf(const Table& table, const Candidate& c) {
    const Line& line = table.lines[static_cast<size_t>(c.line)];
    // PTQ and QAT of one scheme hold the same codes and scales: a header that differs by some bytes makes neither smaller.
    int64_t bytes = line.bytes;
    for (const Line& other : table.lines)
        if (other.scheme == line.scheme && other.bytes > 0 && (other.role == RowRole::Ptq || other.role == RowRole::Qat) &&
            other.bitsPerWeight == line.bitsPerWeight)
            bytes = bytes > 0 ? std::min(bytes, other.bytes) : other.bytes;
    return bytes > 0                ? static_cast<double>(bytes)
           : line.bitsPerWeight > 0 ? line.bitsPerWeight * 1e15
                                    : std::numeric_limits<double>::infinity();
}

const Candidate* winner(const Table& table, const std::vector<Candidate>& all, const std::vector<FactRow>& rows,
                        const records::Verdict& rule, const std::string& task, const std::string& metric) {
    double smallest = std::numeric_limits<double>::infinity();
    std::vector<const Candidate*> passing;
    for (const Candidate& c : all)
        if (c.passes(rule.maxLoss)) passing.push_back(&c);
    for (const Candidate* c : passing) smallest = std::min(smallest, sizeOf(table, *c));
    const Candidate *ptq = nullptr, *qat = nullptr;
    for (const Candidate* c : passing) {
        if (sizeOf(table, *c) != smallest) continue;
        auto& best = table.lines[static_cast<size_t>(c->line)].role == RowRole::Ptq ? ptq : qat;
        if (!best || c->loss < best->loss) best = c;
    }
    if (!ptq || !qat) return ptq ? ptq : qat;
    return beats(table, *qat, *ptq, rows, task, metric) ? qat : ptq;
}

struct Words {
    const Table& table;
    std::string what; // "people acc", as the table's columns are headed
    bool accuracy = false;
    [[nodiscard]] const Line& line(const Candidate& c) const { return table.lines[static_cast<size_t>(c.line)]; }
    [[nodiscard]] std::string amount(double loss) const { return fixed(loss, 2) + (accuracy ? " points" : " %"); }
    [[nodiscard]] std::string reference(const Candidate& c) const { return table.lines[static_cast<size_t>(line(c).reference)].label; }
    [[nodiscard]] std::string lossWords(const Candidate& c) const {
        const std::string against = " against " + reference(c);
        return (c.loss <= 0 ? std::string("it loses nothing") : "it loses " + amount(c.loss)) + against + " (95 % bound " +
               amount(c.bound) + ", n = " + std::to_string(c.n) + ")";
    }
};

std::string pWords(double p) { return p < 0.0001 ? std::string("p < 0.0001") : "p = " + fixed(p, 4); }

// "QAT beats PTQ beyond noise …" for the chosen scheme, when both were run.
std::string twinWords(const Table& table, const Candidate& c, const std::vector<FactRow>& rows, const std::string& task,
                      const std::string& metric) {
    const Line& chosen = table.lines[static_cast<size_t>(c.line)];
    for (const Line& qat : table.lines) {
        if (qat.role != RowRole::Qat || qat.scheme != chosen.scheme || qat.block != chosen.block || qat.twin < 0) continue;
        const Line& ptq = table.lines[static_cast<size_t>(qat.twin)];
        const auto both = sides(ptq, qat, rows, task);
        if (both.size() != 1) return {};
        const auto& [a, b] = both.front();
        const auto compared = stats::compareItems(metric, a->items, b->items);
        if (!compared) return {};
        if (compared->p >= 0.05 || compared->loss == 0)
            return " QAT and PTQ of this scheme do not differ beyond noise (" + task + " " + metric + ", paired, " + pWords(compared->p) +
                   ").";
        return std::string(compared->loss < 0 ? " QAT beats PTQ" : " PTQ beats QAT") + " of this scheme beyond noise (" + task + " " +
               metric + ", paired, " + pWords(compared->p) + ", n = " + std::to_string(compared->difference.n) + ").";
    }
    return {};
}

void sayNone(Judgement& j, const Words& words, const std::vector<Candidate>& all, double maxLoss) {
    const Candidate& c = *std::ranges::min_element(all, {}, [&](const Candidate& one) { return one.miss(maxLoss); });
    j.nearest = c.line;
    j.loss = c.loss;
    j.bound = c.bound;
    j.sentence = "None of these: no row is sure to lose at most " + words.amount(maxLoss) + " on " + words.what +
                 ". Nearest miss: " + words.line(c).label + "; " + words.lossWords(c) + ".";
    if (c.lower > maxLoss) return; // more items would not help
    const double margin = c.loss <= maxLoss ? 2 * maxLoss - c.loss : c.loss - maxLoss;
    j.itemsNeeded = stats::itemsForMargin(margin, c.deviation);
    if (j.itemsNeeded && *j.itemsNeeded > c.n)
        j.sentence += " The items are too few to decide; about " + std::to_string(*j.itemsNeeded) + " are needed.";
    else
        j.itemsNeeded.reset();
}

} // namespace

Judgement judge(const Table& table, const std::vector<FactRow>& rows, const records::Verdict& rule) {
    Judgement j;
    j.metric = rule.metric.empty() ? defaultMetric(table) : rule.metric;
    const auto [task, metric] = splitMetric(j.metric);
    const stats::MetricKind* kind = stats::metricKind(metric);
    const bool quantized = std::ranges::any_of(table.lines, [](const Line& l) { return l.role == RowRole::Ptq || l.role == RowRole::Qat; });
    if (!kind || !quantized) {
        j.sentence = !quantized ? "No verdict: there is no quantized row." : "No verdict: the metric '" + j.metric + "' is not known.";
        return j;
    }
    std::vector<Candidate> all;
    for (size_t i = 0; i < table.lines.size(); ++i)
        if (auto one = candidate(table, static_cast<int>(i), rows, task, metric)) all.push_back(*one);
    if (all.empty()) {
        j.sentence = "No verdict: no quantized row and its reference have per-item results of " + j.metric + " on the same items.";
        return j;
    }
    const Words words{table, metric.empty() ? task : task + " " + metric, kind->isAccuracy};
    const Candidate* best = winner(table, all, rows, rule, task, metric);
    if (!best) {
        sayNone(j, words, all, rule.maxLoss);
        return j;
    }
    j.line = best->line;
    j.loss = best->loss;
    j.bound = best->bound;
    const Line& line = words.line(*best);
    const std::string size = line.bytes > 0 ? (line.bytesForecast ? "≈ " : "") + sizeWords(line.bytes) + ", " : std::string();
    j.sentence = "Ship " + line.label + ": the smallest row (" + size + fixed(line.bitsPerWeight, 2) +
                 " bits a weight) that loses at most " + words.amount(rule.maxLoss) + " on " + words.what + "; " + words.lossWords(*best) +
                 "." + twinWords(table, *best, rows, task, metric);
    return j;
}

} // namespace qw::study
