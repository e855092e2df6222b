// SPDX-License-Identifier: GPL-3.0-or-later
// What: untrusted JSON as a small tree: members in file order, duplicate keys refused, depth and size bounded.
// Why here: parsers that silently keep the last of two equal keys let two readers see two different models.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qw::checkpoint {

struct JsonValue {
    enum class Kind : uint8_t { Null, Bool, Int, Float, String, Array, Object };
    Kind kind = Kind::Null;
    bool boolean = false;
    int64_t integer = 0; // Int
    double number = 0;   // Int and Float
    std::string text;    // String; Float: as written
    std::vector<JsonValue> items;
    std::vector<std::pair<std::string, JsonValue>> members;

    [[nodiscard]] bool is(Kind k) const { return kind == k; }
    [[nodiscard]] bool isNull() const { return kind == Kind::Null; }
    [[nodiscard]] bool isNumber() const { return kind == Kind::Int || kind == Kind::Float; }
    [[nodiscard]] const JsonValue* find(std::string_view key) const; // null when absent or not an object
    [[nodiscard]] std::string shown() const;                         // short form for messages: "abc", 3, null, [...], {...}
};

struct JsonLimits {
    int depth = 64;
    size_t nodes = 500'000; // values, so that a small file cannot become a large tree
};
// Error `code` with line and column.
[[nodiscard]] Result<JsonValue> parseJson(std::string_view text, std::string_view code, const JsonLimits& limits = {});
[[nodiscard]] std::string jsonQuoted(std::string_view text); // with the quotes

} // namespace qw::checkpoint
