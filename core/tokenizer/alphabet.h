// SPDX-License-Identifier: GPL-3.0-or-later
// What: the byte alphabet of byte-level tokenizers and the character classes that added tokens and splits ask for.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace qw::tokenizer {

// Bytes 33-126, 161-172 and 174-255 stand for themselves; the other 68, in increasing order, are U+0100, U+0101, …
[[nodiscard]] const std::array<std::string, 256>& byteAlphabet(); // UTF-8 of each byte's character
[[nodiscard]] int byteOfCharacter(uint32_t codePoint);            // -1: not in the alphabet
void appendMappedBytes(std::string& out, std::string_view bytes);
// All characters are in the alphabet: their bytes; else nothing and false.
[[nodiscard]] bool unmapBytes(std::string_view mapped, std::string& bytes);

[[nodiscard]] bool isUnicodeSpace(uint32_t codePoint);  // White_Space
[[nodiscard]] bool isWordCharacter(uint32_t codePoint); // \w of Rust's regex: Alphabetic, M, Nd, Pc, ZWNJ, ZWJ
[[nodiscard]] bool isNumeric(uint32_t codePoint);       // Nd, Nl, No
[[nodiscard]] bool isPunctuation(uint32_t codePoint);   // ASCII punctuation or P
[[nodiscard]] bool isMark(uint32_t codePoint);          // M

[[nodiscard]] inline bool isAscii(std::string_view text) {
    uint8_t any = 0;
    for (const char c : text) any |= static_cast<uint8_t>(c);
    return any < 0x80;
}

} // namespace qw::tokenizer
