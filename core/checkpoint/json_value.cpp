// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/json_value.h"

#include "base/utf8.h"
#include "checkpoint/json_position.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace qw::checkpoint {
namespace {

std::string lineColumn(std::string_view text, size_t offset) {
    offset = std::min(offset, text.size());
    const std::string_view before = text.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return "line " + std::to_string(line) + ", column " + std::to_string(offset - start + 1);
}

// Builds the tree; returns false with m_problem set where a rule is broken.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
public:
    explicit Builder(const JsonLimits& limits) : m_limits(limits) {}

    bool null() override { return put({}) != nullptr; }
    bool boolean(bool value) override {
        JsonValue v;
        v.kind = JsonValue::Kind::Bool;
        v.boolean = value;
        return put(std::move(v)) != nullptr;
    }
    bool number_integer(number_integer_t value) override {
        JsonValue v;
        v.kind = JsonValue::Kind::Int;
        v.integer = value;
        v.number = static_cast<double>(value);
        return put(std::move(v)) != nullptr;
    }
    bool number_unsigned(number_unsigned_t value) override {
        if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return number_integer(static_cast<int64_t>(value));
        return number_float(static_cast<double>(value), std::to_string(value));
    }
    bool number_float(number_float_t value, const string_t& written) override {
        JsonValue v;
        v.kind = JsonValue::Kind::Float;
        v.number = value;
        v.text = written;
        return put(std::move(v)) != nullptr;
    }
    bool string(string_t& value) override {
        JsonValue v;
        v.kind = JsonValue::Kind::String;
        v.text = std::move(value);
        return put(std::move(v)) != nullptr;
    }
    bool binary(binary_t&) override { return false; }
    bool start_object(size_t) override { return open(JsonValue::Kind::Object); }
    bool start_array(size_t) override { return open(JsonValue::Kind::Array); }
    bool key(string_t& name) override {
        if (!m_open.back().keys.insert(name).second) {
            m_problem = "key " + jsonQuoted(name) + " occurs twice";
            return false;
        }
        m_open.back().value->members.emplace_back(std::move(name), JsonValue{});
        return true;
    }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) override {
        m_at = position > 0 ? position - 1 : 0;
        m_problem = error.what();
        if (const size_t cut = m_problem.find("syntax error"); cut != std::string::npos) m_problem.erase(0, cut);
        return false;
    }

    JsonValue root;
    std::string m_problem;
    size_t m_at = std::string::npos;

private:
    struct Open {
        JsonValue* value;
        std::unordered_set<std::string> keys;
    };
    JsonValue* put(JsonValue value) {
        if (++m_nodes > m_limits.nodes) {
            m_problem = "more than " + std::to_string(m_limits.nodes) + " values";
            return nullptr;
        }
        if (m_open.empty()) {
            root = std::move(value);
            return &root;
        }
        JsonValue& parent = *m_open.back().value;
        if (parent.kind == JsonValue::Kind::Object) {
            parent.members.back().second = std::move(value);
            return &parent.members.back().second;
        }
        parent.items.push_back(std::move(value));
        return &parent.items.back();
    }
    bool open(JsonValue::Kind kind) {
        if (static_cast<int>(m_open.size()) >= m_limits.depth) {
            m_problem = "nested deeper than " + std::to_string(m_limits.depth) + " levels";
            return false;
        }
        JsonValue v;
        v.kind = kind;
        JsonValue* placed = put(std::move(v));
        if (!placed) return false;
        m_open.push_back({placed, {}}); // stays valid: siblings are appended only after this one is closed
        return true;
    }
    bool close() {
        m_open.pop_back();
        return true;
    }

    JsonLimits m_limits;
    std::vector<Open> m_open;
    size_t m_nodes = 0;
};

} // namespace

const JsonValue* JsonValue::find(std::string_view key) const {
    for (const auto& [name, value] : members)
        if (name == key) return &value;
    return nullptr;
}

std::string JsonValue::shown() const {
    switch (kind) {
    case Kind::Null:
        return "null";
    case Kind::Bool:
        return boolean ? "true" : "false";
    case Kind::Int:
        return std::to_string(integer);
    case Kind::Float:
        return text;
    case Kind::String:
        return jsonQuoted(std::string_view(text).substr(0, 80));
    case Kind::Array:
        return "a list";
    case Kind::Object:
        return "an object";
    }
    return {};
}

std::string jsonQuoted(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<JsonValue> parseJson(std::string_view text, std::string_view code, const JsonLimits& limits) {
    const auto fail = [&](size_t offset, const std::string& what) {
        return Error{std::string(code), lineColumn(text, offset) + ": " + what, "repair the file or fetch it again", {}, false};
    };
    if (const auto bad = firstInvalidUtf8(text)) return fail(*bad, "not valid UTF-8");
    Builder builder(limits);
    const char* seenEnd = text.data();
    const CountingIterator begin{text.data(), &seenEnd};
    const CountingIterator end{text.data() + text.size(), &seenEnd};
    if (nlohmann::json::sax_parse(begin, end, &builder)) return std::move(builder.root);
    const auto taken = static_cast<size_t>(seenEnd - text.data());
    return fail(builder.m_at != std::string::npos ? builder.m_at : (taken ? taken - 1 : 0), builder.m_problem);
}

} // namespace qw::checkpoint
