// SPDX-License-Identifier: GPL-3.0-or-later
// What: UTF-8 checking and scanning, code point by code point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qw {

// Byte offset of the first invalid sequence (overlong, surrogate, above U+10FFFF, truncated), or nothing.
[[nodiscard]] std::optional<size_t> firstInvalidUtf8(std::string_view text);
// Every invalid byte run becomes one U+FFFD per maximal subpart (Unicode 3.9, as ICU and Rust do); replaced counts them.
[[nodiscard]] std::string replaceInvalidUtf8(std::string_view text, size_t& replaced);
// Decodes the code point at i of valid UTF-8 and moves i behind it.
[[nodiscard]] uint32_t nextCodePoint(std::string_view text, size_t& i);
void appendUtf8(std::string& out, uint32_t codePoint);
[[nodiscard]] size_t countCodePoints(std::string_view text);
[[nodiscard]] bool isWhiteSpace(uint32_t codePoint); // Unicode White_Space, what Python's str.strip() removes and U+001C to U+001F besides

} // namespace qw
