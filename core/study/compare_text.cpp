// SPDX-License-Identifier: GPL-3.0-or-later
#include "study/compare_text.h"

#include "base/utf8.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace qw::study {

using records::RowRole;

namespace {

std::string fixed(double value, int digits) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

// With a real minus sign, and a plus where the sign is the message.
std::string withSign(double value, int digits) {
    std::string text = fixed(std::fabs(value), digits);
    const bool zero = text.find_first_not_of("0.") == std::string::npos;
    return std::string(zero ? "" : value < 0 ? "−" : "+").append(text);
}

std::string metricWords(const Column& c) {
    static const std::vector<std::pair<std::string, std::string>> names{
        {"word_perplexity", "word ppl"}, {"byte_perplexity", "byte ppl"}, {"bits_per_byte", "bits/byte"}};
    std::string words = c.metric;
    for (const auto& [metric, name] : names)
        if (metric == c.metric) words = name;
    const std::string arrow = c.higherIsBetter ? "↑" : "↓";
    return (c.task == words ? words : c.task + " " + words) + arrow;
}

int digitsOf(const Column& c) { return c.accuracy ? 2 : c.metric == "loss" ? 4 : 3; }
double shown(const Column& c, double value) { return c.accuracy ? 100 * value : value; }

std::string valueCell(const Column& c, const Cell& cell) {
    if (!cell.value) return "–";
    std::string text = fixed(shown(c, *cell.value), digitsOf(c));
    if (cell.spread)
        text += " ±" + fixed(shown(c, *cell.spread), digitsOf(c)) + " (seeds)";
    else if (cell.stderror)
        text += " ±" + fixed(shown(c, *cell.stderror), 2);
    return cell.notComparable.empty() ? text : "~~" + text + "~~";
}

std::string degradationCell(const Column& c, const Cell& cell) {
    if (!cell.degradation) return "–";
    return withSign(shown(c, *cell.degradation), digitsOf(c)) + (c.accuracy ? " pp" : "") + (cell.beatsTwin ? " ✱" : "");
}

std::string recoveredCell(const Cell& cell) {
    if (!cell.recovered) return cell.recoveredNote.empty() ? "–" : "n/a";
    return withSign(*cell.recovered, 1).substr(*cell.recovered > 0 && fixed(*cell.recovered, 1) != "0.0" ? 1 : 0) + " %" +
           (cell.recoveredNote.empty() ? "" : " ?");
}

std::string lnRatioCell(const std::optional<stats::LnRatio>& ratio) {
    if (!ratio) return "–";
    return withSign(ratio->value, 4) + (ratio->error ? " ±" + fixed(*ratio->error, 4) : "");
}

std::string sizeCell(const Line& line) {
    if (line.bytes <= 0) return "–";
    const auto b = static_cast<double>(line.bytes);
    return (line.bytesForecast ? "≈" : "") + (b >= 1e9   ? fixed(b / 1e9, 2) + " GB"
                                              : b >= 1e6 ? fixed(b / 1e6, 2) + " MB"
                                                         : fixed(b / 1e3, 1) + " kB");
}

bool anyMark(const Table& table) {
    return std::ranges::any_of(table.lines,
                               [](const Line& l) { return std::ranges::any_of(l.cells, [](const Cell& c) { return c.beatsTwin; }); });
}

std::string referenceNote(const Table& table) {
    std::vector<std::string> names;
    for (const Line& line : table.lines)
        if (line.reference >= 0) {
            const std::string& name = table.lines[static_cast<size_t>(line.reference)].label;
            if (std::ranges::find(names, name) == names.end()) names.push_back(name);
        }
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    return all.empty() ? all : "Degradation and recovered are against " + all + (names.size() > 1 ? ", each row's own." : ".");
}

std::string padded(const std::string& text, size_t width, bool left) {
    const size_t have = countCodePoints(text);
    const std::string fill(have < width ? width - have : 0, ' ');
    return left ? text + fill : fill + text;
}

std::string csvField(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
}

std::string exact(const std::optional<double>& value) { return value ? nlohmann::json(*value).dump() : std::string(); }

} // namespace

std::vector<std::string> footnotes(const Table& table) {
    std::vector<std::string> lines;
    if (auto note = referenceNote(table); !note.empty()) lines.push_back(std::move(note));
    if (anyMark(table))
        lines.emplace_back(
            "✱ QAT is better than PTQ beyond noise (paired, p < 0.05: exact McNemar for accuracies, bootstrap over documents else).");
    const bool forecast = std::ranges::any_of(table.lines, [](const Line& l) { return l.bytesForecast && l.bytes > 0; });
    if (forecast) lines.emplace_back("≈ the size is a forecast; nothing has been written yet.");
    lines.insert(lines.end(), table.notes.begin(), table.notes.end());
    return lines;
}

TextTable textTable(const Table& table) {
    TextTable text;
    text.header.emplace_back("row");
    for (const Column& c : table.columns) text.header.push_back(metricWords(c));
    for (const char* name : {"size", "bits/w", "evaluation tok/s"}) text.header.emplace_back(name);
    for (const std::string& task : table.lnTasks) text.header.push_back(task + " ln(ppl ratio)↓");
    for (const Line& line : table.lines) {
        std::vector<std::string> row{line.label};
        for (size_t c = 0; c < table.columns.size(); ++c) row.push_back(valueCell(table.columns[c], line.cells[c]));
        row.push_back(sizeCell(line));
        row.push_back(line.bitsPerWeight > 0 ? fixed(line.bitsPerWeight, 2) : "–");
        row.push_back(line.tokensPerSecond > 0 ? fixed(line.tokensPerSecond, 0) : "–");
        for (const auto& one : line.lnRatios) row.push_back(lnRatioCell(one));
        text.origin.push_back({text.rows.size(), TextTable::Kind::Value});
        text.rows.push_back(std::move(row));
    }
    text.values = text.rows.size();
    const auto derived = [&](const Line& line, const std::string& words, TextTable::Kind kind, const auto& cellOf) {
        std::vector<std::string> row{line.label + " " + words};
        for (size_t c = 0; c < table.columns.size(); ++c) row.push_back(cellOf(table.columns[c], line.cells[c]));
        row.resize(text.header.size());
        text.rows.push_back(std::move(row));
        text.origin.push_back({static_cast<size_t>(&line - table.lines.data()), kind});
    };
    for (const Line& line : table.lines) {
        if (line.reference < 0) continue;
        derived(line, "degradation", TextTable::Kind::Degradation, degradationCell);
        if (line.role == RowRole::Qat && line.twin >= 0)
            derived(line, "recovered", TextTable::Kind::Recovered, [](const Column&, const Cell& cell) { return recoveredCell(cell); });
    }
    return text;
}

std::string toPlain(const Table& table) {
    TextTable text = textTable(table);
    for (auto& row : text.rows) // a terminal has no strike-through
        for (std::string& cell : row)
            if (cell.starts_with("~~") && cell.size() > 4) cell = cell.substr(2, cell.size() - 4) + " †";
    std::vector<size_t> width;
    for (size_t c = 0; c < text.header.size(); ++c) {
        width.push_back(countCodePoints(text.header[c]));
        for (const auto& row : text.rows) width[c] = std::max(width[c], countCodePoints(row[c]));
    }
    std::string out;
    const auto add = [&](const std::vector<std::string>& row) {
        std::string line;
        for (size_t c = 0; c < row.size(); ++c) line += (c ? "  " : "") + padded(row[c], width[c], c == 0);
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    };
    size_t total = 2 * (width.size() - 1);
    for (const size_t w : width) total += w;
    std::string rule;
    for (size_t i = 0; i < total; ++i) rule += "─";
    add(text.header);
    out += rule + "\n";
    for (size_t r = 0; r < text.rows.size(); ++r) {
        if (r == text.values) out += rule + "\n";
        add(text.rows[r]);
    }
    out += "\n";
    for (const std::string& line : footnotes(table)) out += line + "\n";
    return out + "Verdict: " + table.verdict.sentence + "\n";
}

std::string toMarkdown(const Table& table) {
    const TextTable text = textTable(table);
    std::string out;
    const auto add = [&](const std::vector<std::string>& row) {
        out += "|";
        for (const std::string& cell : row) {
            std::string escaped;
            for (const char c : cell) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
            out += " " + escaped + " |";
        }
        out += "\n";
    };
    add(text.header);
    out += "|---|";
    for (size_t c = 1; c < text.header.size(); ++c) out += "---:|";
    out += "\n";
    for (const auto& row : text.rows) add(row);
    out += "\n**Verdict:** " + table.verdict.sentence + "\n";
    for (const std::string& line : footnotes(table)) out += "\n" + line + "\n";
    return out;
}

std::string toCsv(const Table& table) {
    std::string out = "row,role,scheme,method,seeds";
    for (const Column& c : table.columns) {
        const std::string name = c.task + "." + c.metric;
        for (const char* part : {"", " stderr", " spread", " lower95", " upper95", " degradation", " p vs reference", " p vs PTQ",
                                 " recovered %", " not comparable"})
            out.append(",").append(csvField(name + part));
    }
    out += ",bytes,bytes forecast,bits per weight,evaluation tokens per second";
    for (const std::string& task : table.lnTasks)
        for (const char* part : {" ln ppl ratio", " ln ppl ratio stderr"}) out.append(",").append(csvField(task + part));
    out += '\n';
    for (const Line& line : table.lines) {
        out += csvField(line.label) + "," + records::roleName(line.role) + "," + csvField(line.scheme) + "," + line.method + "," +
               std::to_string(line.rows.size());
        for (const Cell& cell : line.cells) {
            const auto lower = cell.whisker ? std::optional(cell.whisker->lower) : std::nullopt,
                       upper = cell.whisker ? std::optional(cell.whisker->upper) : std::nullopt;
            for (const auto& number :
                 {cell.value, cell.stderror, cell.spread, lower, upper, cell.degradation, cell.pReference, cell.pTwin, cell.recovered})
                out.append(",").append(exact(number));
            out.append(",").append(csvField(cell.notComparable));
        }
        out.append(",").append(line.bytes > 0 ? std::to_string(line.bytes) : std::string());
        out.append(line.bytesForecast ? ",1," : ",0,");
        out.append(line.bitsPerWeight > 0 ? exact(line.bitsPerWeight) : std::string()).append(",");
        out.append(line.tokensPerSecond > 0 ? exact(line.tokensPerSecond) : std::string());
        for (const auto& one : line.lnRatios)
            out.append(",").append(one ? exact(one->value) : std::string()).append(",").append(one ? exact(one->error) : std::string());
        out += '\n';
    }
    return out;
}

std::string toJson(const Table& table) {
    using Json = nlohmann::ordered_json;
    const auto number = [](const std::optional<double>& v) { return v ? Json(*v) : Json(nullptr); };
    Json out{{"columns", Json::array()}, {"rows", Json::array()}};
    for (const Column& c : table.columns)
        out["columns"].push_back(
            {{"task", c.task}, {"metric", c.metric}, {"higher_is_better", c.higherIsBetter}, {"accuracy", c.accuracy}});
    for (const Line& line : table.lines) {
        Json row{{"label", line.label},
                 {"role", records::roleName(line.role)},
                 {"scheme", line.scheme},
                 {"method", line.method},
                 {"seeds", line.rows.size()},
                 {"reference", line.reference},
                 {"twin", line.twin},
                 {"source", line.source},
                 {"bytes", line.bytes},
                 {"bytes_forecast", line.bytesForecast},
                 {"bits_per_weight", line.bitsPerWeight},
                 {"tokens_per_s", line.tokensPerSecond},
                 {"problem", line.problem},
                 {"skipped", line.skipped},
                 {"cells", Json::array()}};
        for (const Cell& c : line.cells)
            row["cells"].push_back({{"value", number(c.value)},
                                    {"stderr", number(c.stderror)},
                                    {"spread", number(c.spread)},
                                    {"lower95", c.whisker ? Json(c.whisker->lower) : Json(nullptr)},
                                    {"upper95", c.whisker ? Json(c.whisker->upper) : Json(nullptr)},
                                    {"n", c.n},
                                    {"degradation", number(c.degradation)},
                                    {"p_reference", number(c.pReference)},
                                    {"p_ptq", number(c.pTwin)},
                                    {"only_qat_right", c.onlyQat},
                                    {"only_ptq_right", c.onlyPtq},
                                    {"beats_ptq", c.beatsTwin},
                                    {"recovered", number(c.recovered)},
                                    {"recovered_note", c.recoveredNote},
                                    {"not_comparable", c.notComparable}});
        for (size_t t = 0; t < line.lnRatios.size(); ++t)
            if (const auto& one = line.lnRatios[t])
                row["ln_ppl_ratio"][table.lnTasks[t]] = Json{{"value", one->value}, {"stderr", number(one->error)}};
        out["rows"].push_back(std::move(row));
    }
    const Judgement& v = table.verdict;
    out["verdict"] = {{"sentence", v.sentence},
                      {"metric", v.metric},
                      {"row", v.line},
                      {"nearest", v.nearest},
                      {"loss", number(v.loss)},
                      {"bound", number(v.bound)},
                      {"items_needed", v.itemsNeeded ? Json(*v.itemsNeeded) : Json(nullptr)}};
    out["notes"] = table.notes;
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace qw::study
