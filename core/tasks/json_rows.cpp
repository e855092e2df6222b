// SPDX-License-Identifier: GPL-3.0-or-later
#include "tasks/json_rows.h"

#include "base/utf8.h"
#include "tasks/text.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <limits>
#include <optional>

namespace qw::tasks {
namespace {

using Json = nlohmann::json;
constexpr size_t kMaxLine = size_t{1} << 20;

std::string entry(const char* key, size_t i) {
    std::string name(key);
    return name.append(1, '[').append(std::to_string(i)).append(1, ']');
}

std::string kindOf(const Json& value) {
    switch (value.type()) {
    case Json::value_t::null:
        return "null";
    case Json::value_t::object:
        return "an object";
    case Json::value_t::array:
        return "an array";
    case Json::value_t::string:
        return "a string";
    case Json::value_t::boolean:
        return "true or false";
    default:
        return "a number";
    }
}

// One line's fields; the first complaint about a line is enough for each field.
class Row {
public:
    Row(const Json& object, int64_t line, Problems& problems) : m_object(object), m_line(line), m_problems(problems) {}

    [[nodiscard]] bool has(const char* key) const { return m_object.contains(key); }
    [[nodiscard]] const Json& at(const char* key) const { return m_object.at(key); }
    [[nodiscard]] bool good() const { return m_good; }
    [[nodiscard]] int64_t line() const { return m_line; }
    void bad(const std::string& field, const std::string& what) {
        m_good = false;
        if (!m_problems.full()) m_problems.add(m_line, field, what);
    }
    std::string text(const std::string& field, const Json& value) {
        if (!value.is_string()) {
            bad(field, "is " + kindOf(value) + ", a string was expected");
            return {};
        }
        const auto& s = value.get_ref<const std::string&>();
        if (s.find('\0') != std::string::npos) bad(field, "holds U+0000, text was expected");
        return s;
    }
    std::string text(const char* key) {
        if (has(key)) return text(key, at(key));
        bad(key, "is missing, a string was expected");
        return {};
    }
    std::vector<std::string> texts(const char* key) {
        std::vector<std::string> out;
        if (!has(key))
            bad(key, "is missing, an array of 2 or more strings was expected");
        else if (!at(key).is_array())
            bad(key, "is " + kindOf(at(key)) + ", an array of 2 or more strings was expected");
        else if (at(key).size() < 2)
            bad(key, "has " + std::to_string(at(key).size()) + " entries, 2 or more were expected");
        else
            for (size_t i = 0; i < at(key).size(); ++i) out.push_back(text(entry(key, i), at(key)[i]));
        return out;
    }
    // 0 <= value < count, from an integer or, when asked for, a string of digits.
    int index(const char* key, size_t count, bool digitsToo) {
        const std::string expected = "0 to " + std::to_string(count - 1) + " was expected";
        if (!has(key) || at(key).is_null() || (at(key).is_string() && at(key).get_ref<const std::string&>().empty())) {
            bad(key, "row has no label, cannot be scored");
            return 0;
        }
        const Json& value = at(key);
        int64_t number = -1;
        if (value.is_number_unsigned())
            number = static_cast<int64_t>(std::min<uint64_t>(value.get<uint64_t>(), std::numeric_limits<int64_t>::max()));
        else if (value.is_number_integer())
            number = value.get<int64_t>();
        else if (digitsToo && value.is_string() && value.get_ref<const std::string&>().find_first_not_of("0123456789") == std::string::npos)
            number =
                value.get_ref<const std::string&>().size() > 9 ? std::numeric_limits<int64_t>::max() : std::stoll(value.get<std::string>());
        else {
            bad(key, (value.is_string() ? "\"" + value.get<std::string>() + "\" is not a whole number" : "is " + kindOf(value)) + ", " +
                         expected);
            return 0;
        }
        if (number < 0 || number >= static_cast<int64_t>(count)) {
            bad(key, value.dump() + " is out of range, " + expected);
            return 0;
        }
        return static_cast<int>(number);
    }

private:
    const Json& m_object;
    int64_t m_line;
    Problems& m_problems;
    bool m_good = true;
};

std::optional<Json> parseLine(std::string_view line, int64_t number, Problems& problems) {
    if (line.size() > kMaxLine) {
        problems.add(number, "", "the line has " + std::to_string(line.size()) + " bytes, at most 1 MiB was expected");
        return std::nullopt;
    }
    if (const auto bad = firstInvalidUtf8(line)) {
        problems.add(number, "", "is not valid UTF-8 at byte " + std::to_string(*bad) + " of the line");
        return std::nullopt;
    }
    if (line.find('\0') != std::string_view::npos) {
        problems.add(number, "", "holds U+0000, text was expected");
        return std::nullopt;
    }
    try {
        Json json = Json::parse(line);
        if (json.is_object()) return json;
        problems.add(number, "", "is " + kindOf(json) + ", a JSON object was expected");
    } catch (const Json::parse_error& error) {
        const size_t before = std::min(error.byte > 0 ? error.byte - 1 : 0, line.size());
        problems.add(number, "",
                     "invalid JSON at column " + std::to_string(countCodePoints(line.substr(0, before)) + 1) +
                         ", one object a line was expected");
    }
    return std::nullopt;
}

// Calls take for each object; blank lines count but are passed over.
void forEachRow(std::string_view text, Problems& problems, const std::function<void(Row&)>& take) {
    int64_t number = 0;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    for (size_t from = 0; from < text.size() && !problems.full();) {
        const size_t end = std::min(text.find('\n', from), text.size());
        std::string_view line = text.substr(from, end - from);
        from = end + 1;
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        if (const auto json = parseLine(line, number, problems)) {
            Row row(*json, number, problems);
            take(row);
        }
    }
}

void count(ChoiceRow& row) {
    for (const std::string& choice : row.choices) row.chars.push_back(static_cast<int64_t>(countCodePoints(choice)));
}

bool isCleaned(const Row& row) { return row.has("choices") || (row.has("query") && !row.has("endings")); }

ChoiceRow readCleaned(Row& row) {
    ChoiceRow out;
    out.query = row.text("query");
    out.choices = row.texts("choices");
    for (size_t i = 0; i < out.choices.size(); ++i)
        if (isBlank(out.choices[i])) row.bad(entry("choices", i), "is blank, text was expected");
    if (out.choices.size() >= 2) out.gold = row.index("gold", out.choices.size(), false);
    return out;
}

struct Seen { // what is told once for the whole file
    bool context = false, differs = false;
    std::optional<bool> cleaned; // the form of the first row
    int64_t firstLine = 0;
};

ChoiceRow readOriginal(Row& row, Seen& seen) {
    ChoiceRow out;
    const std::string label = row.text("activity_label");
    std::string a, b;
    if (row.has("ctx_a")) {
        a = row.text("ctx_a");
        if (row.has("ctx_b")) b = row.text("ctx_b");
        if (row.has("ctx") && row.at("ctx").is_string() && trimmed(row.at("ctx").get_ref<const std::string&>()) != trimmed(a + " " + b))
            seen.differs = true;
    } else if (row.has("ctx")) {
        a = row.text("ctx");
        seen.context = true;
    } else {
        row.bad("ctx_a", "is missing, a string was expected (or ctx)");
    }
    out.query = cleanHellaswag(label + ": " + a + " " + capitalise(b));
    for (const std::string& ending : row.texts("endings")) {
        out.choices.push_back(cleanHellaswag(ending));
        if (row.good() && isBlank(out.choices.back()))
            row.bad(entry("endings", out.choices.size() - 1), "is blank after cleaning, text was expected");
    }
    if (out.choices.size() >= 2) out.gold = row.index("label", out.choices.size(), true);
    return out;
}

} // namespace

void readChoiceRows(std::string_view text, Problems& problems, TaskData& into) {
    Seen seen;
    forEachRow(text, problems, [&](Row& row) {
        const bool cleaned = isCleaned(row);
        if (!seen.cleaned) {
            seen.cleaned = cleaned;
            seen.firstLine = row.line();
        }
        if (cleaned != *seen.cleaned) {
            row.bad("", std::string("has the fields of ") +
                            (cleaned ? "cleaned rows (query, choices, gold)" : "original rows (ctx_a, endings, label)") + ", line " +
                            std::to_string(seen.firstLine) + " has the other form: a file must not mix them");
            return;
        }
        ChoiceRow out = cleaned ? readCleaned(row) : readOriginal(row, seen);
        if (!row.good()) return;
        out.line = row.line();
        count(out);
        into.rows.push_back(std::move(out));
    });
    if (seen.context) into.notes.emplace_back("contexts not re-capitalised");
    if (seen.differs) into.notes.emplace_back("ctx differs from ctx_a and ctx_b in some rows; ctx_a and ctx_b were used");
    if (seen.cleaned.value_or(false)) into.notes.emplace_back("rows were already cleaned");
}

void readTextRows(std::string_view text, Problems& problems, TaskData& into) {
    forEachRow(text, problems, [&](Row& row) {
        Document document;
        document.text = row.text("text");
        if (row.good() && isBlank(document.text)) row.bad("text", "has no character but white space, text was expected");
        if (!row.good()) return;
        document.words = countWords(document.text);
        document.bytes = static_cast<int64_t>(document.text.size());
        document.line = row.line();
        into.documents.push_back(std::move(document));
    });
}

} // namespace qw::tasks
