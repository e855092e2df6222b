// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/config_keys.h"

#include <cmath>

namespace qw::checkpoint {
namespace {

std::string shortNumber(double value) {
    std::string text = std::to_string(value);
    while (text.ends_with('0')) text.pop_back();
    if (text.ends_with('.')) text.pop_back();
    return text;
}

} // namespace

void Keys::refuse(std::string_view key, const std::string& what) {
    if (m_error) return;
    const JsonValue* value = find(key);
    m_error = Error{"model.format",
                    "key " + m_prefix + std::string(key) + (value ? " is " + value->shown() + ", " : " ") + what,
                    "correct config.json, or choose a model that is supported",
                    {},
                    false};
}

bool Keys::present(std::string_view key) const {
    const JsonValue* value = find(key);
    return value && !value->isNull();
}

int64_t Keys::integer(std::string_view key, int64_t ifAbsent, int64_t low, int64_t high, std::optional<int64_t> ifNull) {
    const JsonValue* value = find(key);
    if (!value) return ifAbsent;
    if (value->isNull() && ifNull) return *ifNull;
    if (!value->is(JsonValue::Kind::Int))
        refuse(key, "expected a whole number");
    else if (value->integer < low || value->integer > high)
        refuse(key, "allowed is " + std::to_string(low) + " to " + std::to_string(high));
    else
        return value->integer;
    return ifAbsent;
}

double Keys::number(std::string_view key, double ifAbsent, double low, double high) {
    const JsonValue* value = find(key);
    if (!value || value->isNull()) return ifAbsent;
    if (!value->isNumber())
        refuse(key, "expected a number");
    else if (!(value->number > low && value->number < high))
        refuse(key,
               "expected more than " + shortNumber(low) + (std::isfinite(high) ? " and less than " + shortNumber(high) : std::string()));
    else
        return value->number;
    return ifAbsent;
}

bool Keys::boolean(std::string_view key, bool ifAbsent) {
    const JsonValue* value = find(key);
    if (!value) return ifAbsent;
    if (value->isNull()) return false;
    if (value->is(JsonValue::Kind::Bool)) return value->boolean;
    refuse(key, "expected true or false");
    return ifAbsent;
}

std::string Keys::string(std::string_view key, std::string_view ifAbsent) {
    const JsonValue* value = find(key);
    if (!value || value->isNull()) return std::string(ifAbsent);
    if (value->is(JsonValue::Kind::String)) return value->text;
    refuse(key, "expected a string");
    return std::string(ifAbsent);
}

std::optional<double> Keys::optionalNumber(std::string_view key) {
    const JsonValue* value = find(key);
    if (!value || value->isNull()) return std::nullopt;
    if (!value->isNumber() || !std::isfinite(value->number)) {
        refuse(key, "expected a number");
        return std::nullopt;
    }
    return value->number;
}

std::vector<double> Keys::numbers(std::string_view key) {
    std::vector<double> out;
    const JsonValue* value = find(key);
    if (!value || value->isNull()) return out;
    if (!value->is(JsonValue::Kind::Array)) {
        refuse(key, "expected a list of numbers");
        return out;
    }
    for (const JsonValue& item : value->items) {
        if (!item.isNumber() || !(item.number > 0)) {
            refuse(key, "with " + item.shown() + " in it; expected positive numbers");
            break;
        }
        out.push_back(item.number);
    }
    return out;
}

std::vector<std::string> Keys::strings(std::string_view key) {
    std::vector<std::string> out;
    const JsonValue* value = find(key);
    if (!value || value->isNull()) return out;
    if (!value->is(JsonValue::Kind::Array)) {
        refuse(key, "expected a list of strings");
        return out;
    }
    for (const JsonValue& item : value->items) {
        if (!item.is(JsonValue::Kind::String)) {
            refuse(key, "with " + item.shown() + " in it; expected strings");
            break;
        }
        out.push_back(item.text);
    }
    return out;
}

} // namespace qw::checkpoint
