// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/alphabet.h"

#include "base/utf8.h"

#include <unicode/uchar.h>

namespace qw::tokenizer {
namespace {

bool standsForItself(int b) { return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174; }

std::array<uint32_t, 256> codePoints() {
    std::array<uint32_t, 256> table{};
    uint32_t next = 0x100;
    for (int b = 0; b < 256; ++b) table[static_cast<size_t>(b)] = standsForItself(b) ? static_cast<uint32_t>(b) : next++;
    return table;
}

bool hasCategory(uint32_t c, uint32_t mask) { return (U_GET_GC_MASK(static_cast<UChar32>(c)) & mask) != 0; }

} // namespace

const std::array<std::string, 256>& byteAlphabet() {
    static const std::array<std::string, 256> table = [] {
        std::array<std::string, 256> t;
        const auto points = codePoints();
        for (size_t b = 0; b < 256; ++b) appendUtf8(t[b], points[b]);
        return t;
    }();
    return table;
}

int byteOfCharacter(uint32_t codePoint) {
    static const std::array<int16_t, 0x144> table = [] {
        std::array<int16_t, 0x144> t;
        t.fill(-1);
        const auto points = codePoints();
        for (size_t b = 0; b < 256; ++b) t[points[b]] = static_cast<int16_t>(b);
        return t;
    }();
    return codePoint < table.size() ? table[codePoint] : -1;
}

void appendMappedBytes(std::string& out, std::string_view bytes) {
    const auto& table = byteAlphabet();
    for (const char c : bytes) out += table[static_cast<uint8_t>(c)];
}

bool unmapBytes(std::string_view mapped, std::string& bytes) {
    bytes.clear();
    for (size_t i = 0; i < mapped.size();) {
        const int b = byteOfCharacter(nextCodePoint(mapped, i));
        if (b < 0) {
            bytes.clear();
            return false;
        }
        bytes += static_cast<char>(b);
    }
    return true;
}

// base::isWhiteSpace is Python's notion, which has U+001C to U+001F on top.
bool isUnicodeSpace(uint32_t c) { return isWhiteSpace(c) && !(c >= 0x1C && c <= 0x1F); }
bool isWordCharacter(uint32_t c) {
    if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    return hasCategory(c, U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK) || c == 0x200C || c == 0x200D ||
           u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_ALPHABETIC);
}
bool isNumeric(uint32_t c) { return c < 0x80 ? c >= '0' && c <= '9' : hasCategory(c, U_GC_N_MASK); }
bool isPunctuation(uint32_t c) {
    if (c < 0x80) return (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) || (c >= 0x7B && c <= 0x7E);
    return hasCategory(c, U_GC_P_MASK);
}
bool isMark(uint32_t c) { return c >= 0x300 && hasCategory(c, U_GC_M_MASK); }

} // namespace qw::tokenizer
