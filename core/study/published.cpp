// SPDX-License-Identifier: GPL-3.0-or-later
#include "study/published.h"

#include "base/files.h"
#include "stats/compare.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

namespace qw::study {
namespace {

constexpr size_t kMaxBytes = 64 << 20;
constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
constexpr double kMostCounted = 9007199254740992.0; // 2^53: above it doubles skip whole numbers

Error wrong(const std::string& where, const std::string& what, const std::string& hint) {
    return Error{"config.invalid", where + ": " + what, hint, "", false};
}

// The fields of one line; a quoted field may hold commas and doubled quotes.
std::vector<std::string> fieldsOf(std::string_view line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (size_t i = 0; i < line.size(); ++i) {
        if (quoted && line[i] == '"' && i + 1 < line.size() && line[i + 1] == '"')
            fields.back() += line[i++];
        else if (line[i] == '"')
            quoted = !quoted;
        else if (line[i] == ',' && !quoted)
            fields.emplace_back();
        else
            fields.back() += line[i];
    }
    for (std::string& field : fields) {
        const size_t first = field.find_first_not_of(" \t\r"), last = field.find_last_not_of(" \t\r");
        field = first == std::string::npos ? std::string() : field.substr(first, last - first + 1);
    }
    return fields;
}

std::optional<double> numberOf(std::string text) {
    const bool percent = text.ends_with('%');
    if (percent) text.pop_back();
    while (text.ends_with(' ')) text.pop_back();
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
    return percent ? value / 100 : value;
}

PublishedTask& taskOf(PublishedRow& row, const std::string& name) {
    const auto at = std::ranges::find(row.tasks, name, &PublishedTask::name);
    if (at != row.tasks.end()) return *at;
    row.tasks.push_back({name, {}, 0, {}});
    return row.tasks.back();
}

Status checkMetric(const std::string& where, const std::string& name, double value) {
    const stats::MetricKind* kind = stats::metricKind(name);
    if (!kind)
        return wrong(where, "metric '" + name + "' is not known",
                     "use acc, acc_norm, word_perplexity, byte_perplexity, bits_per_byte, loss or perplexity");
    if (kind->isAccuracy && (value < 0 || value > 1))
        return wrong(where, name + " must be a share between 0 and 1", "write percent with their sign: 57.86%");
    if (!kind->isAccuracy && value < 0) return wrong(where, name + " must not be negative", "correct the value");
    return {};
}

class CsvReader {
public:
    CsvReader(std::string_view text, std::string fileName) : m_text(text), m_file(std::move(fileName)) {}

    Result<std::vector<PublishedRow>> read() {
        while (!m_text.empty()) {
            const size_t end = m_text.find('\n');
            const std::string_view line = m_text.substr(0, end);
            m_text = end == std::string_view::npos ? std::string_view() : m_text.substr(end + 1);
            ++m_line;
            if (line.find_first_not_of(" \t\r,") == std::string_view::npos) continue;
            if (m_columns.empty()) {
                QW_CHECK(readHeader(line));
            } else {
                QW_CHECK(readLine(line));
            }
        }
        if (m_rows.empty())
            return wrong(m_file, "there is no value in it", "one value a line below a header with name, task, metric, value");
        return std::move(m_rows);
    }

private:
    [[nodiscard]] std::string where() const { return m_file + ":" + std::to_string(m_line); }

    Status readHeader(std::string_view line) {
        static const std::vector<std::string> known{"name", "role", "scheme", "task", "metric", "value", "stderr", "n", "bytes", "bits"};
        m_columns = fieldsOf(line);
        for (const std::string& column : m_columns)
            if (std::ranges::find(known, column) == known.end())
                return wrong(where(), "column '" + column + "' is not known",
                             "the columns are name, role, scheme, task, metric, value, stderr, n, bytes and bits");
        for (const char* needed : {"name", "task", "metric", "value"})
            if (std::ranges::find(m_columns, needed) == m_columns.end())
                return wrong(where(), std::string("the column '") + needed + "' is missing", "the first line names the columns");
        return {};
    }

    [[nodiscard]] Result<std::optional<double>> number(const std::map<std::string, std::string>& fields, const char* column) const {
        const auto at = fields.find(column);
        if (at == fields.end() || at->second.empty()) return std::optional<double>();
        const auto value = numberOf(at->second);
        if (!value) return wrong(where() + ": " + column, "'" + at->second + "' is not a number", "write it with a decimal point");
        return value;
    }

    // Of things that are counted; 0 where nothing is told.
    [[nodiscard]] Result<int64_t> count(const std::map<std::string, std::string>& fields, const char* column) const {
        QW_TRY(const auto value, number(fields, column));
        if (!value) return int64_t{0};
        if (*value < 0 || *value > kMostCounted || *value != std::floor(*value))
            return wrong(where() + ": " + column, "'" + fields.at(column) + "' is not a count", "write a whole number, or leave it empty");
        return static_cast<int64_t>(*value);
    }

    Result<PublishedRow*> rowOf(const std::map<std::string, std::string>& fields) {
        const auto text = [&](const char* column) { return fields.contains(column) ? fields.at(column) : std::string(); };
        const std::string name = text("name");
        if (name.empty()) return wrong(where(), "the row has no name", "every line names its row");
        auto at = std::ranges::find(m_rows, name, &PublishedRow::name);
        if (at == m_rows.end()) {
            m_rows.push_back({});
            at = m_rows.end() - 1;
            at->name = name;
        }
        if (const std::string role = text("role"); !role.empty()) {
            const auto found = records::roleFromName(role);
            if (!found || *found == records::RowRole::Exported)
                return wrong(where(), "role '" + role + "' is not known", "use float, float_trained, ptq or qat");
            at->role = *found;
        }
        if (const std::string scheme = text("scheme"); !scheme.empty()) at->scheme = scheme;
        return &*at;
    }

    Status readLine(std::string_view line) {
        const std::vector<std::string> cells = fieldsOf(line);
        if (cells.size() > m_columns.size()) return wrong(where(), "the line has more fields than the header", "quote fields with commas");
        std::map<std::string, std::string> fields;
        for (size_t i = 0; i < cells.size(); ++i) fields[m_columns[i]] = cells[i];
        QW_TRY(PublishedRow * row, rowOf(fields));
        QW_TRY(const auto value, number(fields, "value"));
        if (!value || fields["task"].empty()) return wrong(where(), "task or value is missing", "every line is one value of one task");
        QW_TRY(const auto error, number(fields, "stderr"));
        QW_TRY(const int64_t n, count(fields, "n"));
        QW_TRY(const int64_t bytes, count(fields, "bytes"));
        QW_TRY(const auto bits, number(fields, "bits"));
        QW_CHECK(checkMetric(where(), fields["metric"], *value));
        PublishedTask& task = taskOf(*row, fields["task"]);
        if (std::ranges::find(task.metrics, fields["metric"], &records::EvalMetric::name) != task.metrics.end())
            return wrong(where(), row->name + " has " + fields["metric"] + " of " + task.name + " twice", "keep one of them");
        task.metrics.push_back({fields["metric"], *value, error});
        if (n > 0) task.n = n;
        if (bytes > 0) row->bytes = bytes;
        if (bits) row->bitsPerWeight = *bits;
        return {};
    }

    std::string_view m_text;
    std::string m_file;
    int m_line = 0;
    std::vector<std::string> m_columns;
    std::vector<PublishedRow> m_rows;
};

// {"results": {"hellaswag": {"acc,none": 0.57, "acc_stderr,none": 0.005, …}}, "n-samples": …, "versions": …, "model_name": …}
Result<std::vector<PublishedRow>> fromHarness(const nlohmann::json& body, const std::string& fileName) {
    const auto memberOf = [&](const char* key, const std::string& task) -> const nlohmann::json* {
        const auto at = body.find(key);
        return at != body.end() && at->is_object() && at->contains(task) ? &(*at)[task] : nullptr;
    };
    PublishedRow row;
    const auto model = body.find("model_name");
    row.name = model != body.end() && model->is_string() ? model->get<std::string>() : std::filesystem::path(fileName).stem().string();
    for (const auto& [name, values] : body["results"].items()) {
        if (!values.is_object()) continue;
        PublishedTask task{name, {}, 0, {}};
        for (const auto& [key, value] : values.items()) {
            const std::string metric = key.substr(0, key.find(','));
            if (!value.is_number() || !stats::metricKind(metric)) continue;
            QW_CHECK(checkMetric(fileName + ": results." + name, metric, value.get<double>()));
            const std::string error = metric + "_stderr" + key.substr(metric.size());
            task.metrics.push_back({metric, value.get<double>(), {}});
            if (values.contains(error) && values[error].is_number()) task.metrics.back().stderror = values[error].get<double>();
        }
        if (const auto* samples = memberOf("n-samples", name); samples && samples->is_object())
            if (const auto n = samples->find("effective"); n != samples->end() && n->is_number_unsigned()) task.n = n->get<int64_t>();
        if (const auto* version = memberOf("versions", name))
            task.version = version->is_string() ? version->get<std::string>() : version->dump(-1, ' ', false, kReplace);
        if (!task.metrics.empty()) row.tasks.push_back(std::move(task));
    }
    if (row.tasks.empty())
        return wrong(fileName, "results holds no metric that is known here", "acc, acc_norm, word_perplexity and the like");
    return std::vector{std::move(row)};
}

} // namespace

Result<std::vector<PublishedRow>> parsePublished(std::string_view text, const std::string& fileName) {
    if (const size_t first = text.find_first_not_of(" \t\r\n"); first != std::string_view::npos && text[first] == '{') {
        const auto body = nlohmann::json::parse(text, nullptr, false);
        if (!body.is_object() || !body.contains("results") || !body["results"].is_object())
            return wrong(fileName, "this is no results file of lm-evaluation-harness", "it needs the key \"results\"; or give a CSV table");
        return fromHarness(body, fileName);
    }
    return CsvReader(text, fileName).read();
}

Result<std::vector<PublishedRow>> readPublished(const std::filesystem::path& file) {
    QW_TRY(const std::string text, readFile(file, kMaxBytes));
    return parsePublished(text, file.string());
}

} // namespace qw::study
