// SPDX-License-Identifier: GPL-3.0-or-later
// What: how deep a JSON text is nested, found without parsing it, so that hostile files are turned away first.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace qw::tokenizer {

// Byte offset where the nesting passes limit, or nothing.
[[nodiscard]] inline std::optional<size_t> jsonTooDeep(std::string_view bytes, int limit) {
    int depth = 0;
    bool text = false;
    for (size_t i = 0; i < bytes.size(); ++i) {
        const char c = bytes[i];
        if (text) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                text = false;
        } else if (c == '"')
            text = true;
        else if (c == '[' || c == '{') {
            if (++depth > limit) return i;
        } else if (c == ']' || c == '}')
            --depth;
    }
    return std::nullopt;
}

} // namespace qw::tokenizer
