// SPDX-License-Identifier: GPL-3.0-or-later
// What: typed, range-checked reads from a config.json object; the first problem is kept and names key and value.
#pragma once

#include "checkpoint/json_value.h"

#include <optional>

namespace qw::checkpoint {

class Keys {
public:
    Keys(const JsonValue& object, std::string prefix) : m_object(object), m_prefix(std::move(prefix)) {}

    [[nodiscard]] const JsonValue* find(std::string_view key) const { return m_object.find(key); }
    [[nodiscard]] bool present(std::string_view key) const; // and not null
    // Absent gives the default; null is refused unless ifNull is given.
    [[nodiscard]] int64_t integer(std::string_view key, int64_t ifAbsent, int64_t low, int64_t high, std::optional<int64_t> ifNull = {});
    [[nodiscard]] double number(std::string_view key, double ifAbsent, double low, double high); // low and high excluded; null = absent
    [[nodiscard]] bool boolean(std::string_view key, bool ifAbsent);                             // null counts as false, as in Python
    [[nodiscard]] std::string string(std::string_view key, std::string_view ifAbsent);           // null = absent
    [[nodiscard]] std::optional<double> optionalNumber(std::string_view key);
    [[nodiscard]] std::vector<double> numbers(std::string_view key); // absent = empty
    [[nodiscard]] std::vector<std::string> strings(std::string_view key);

    void refuse(std::string_view key, const std::string& what);
    [[nodiscard]] const std::optional<Error>& error() const { return m_error; }

private:
    const JsonValue& m_object;
    std::string m_prefix;
    std::optional<Error> m_error;
};

} // namespace qw::checkpoint
