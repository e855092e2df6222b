// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/utf8.h"

namespace qw {
namespace {

// Length of the valid sequence at i, or 0; bad = bytes of the maximal subpart to replace when it is 0.
size_t sequenceLength(std::string_view s, size_t i, size_t& bad) {
    const auto byte = [&](size_t k) { return static_cast<uint8_t>(s[k]); };
    const uint8_t b0 = byte(i);
    bad = 1;
    if (b0 < 0x80) return 1;
    size_t need = 0;
    uint8_t lo = 0x80, hi = 0xBF;
    if (b0 >= 0xC2 && b0 <= 0xDF)
        need = 1;
    else if (b0 >= 0xE0 && b0 <= 0xEF) {
        need = 2;
        if (b0 == 0xE0) lo = 0xA0;
        if (b0 == 0xED) hi = 0x9F;
    } else if (b0 >= 0xF0 && b0 <= 0xF4) {
        need = 3;
        if (b0 == 0xF0) lo = 0x90;
        if (b0 == 0xF4) hi = 0x8F;
    } else
        return 0;
    for (size_t k = 1; k <= need; ++k) {
        if (i + k >= s.size() || byte(i + k) < lo || byte(i + k) > hi) {
            bad = k;
            return 0;
        }
        lo = 0x80;
        hi = 0xBF;
    }
    return need + 1;
}

} // namespace

std::optional<size_t> firstInvalidUtf8(std::string_view text) {
    size_t bad = 0;
    for (size_t i = 0; i < text.size();) {
        const size_t n = sequenceLength(text, i, bad);
        if (n == 0) return i;
        i += n;
    }
    return std::nullopt;
}

std::string replaceInvalidUtf8(std::string_view text, size_t& replaced) {
    std::string out;
    out.reserve(text.size());
    replaced = 0;
    size_t bad = 0;
    for (size_t i = 0; i < text.size();) {
        const size_t n = sequenceLength(text, i, bad);
        if (n == 0) {
            out += "\xEF\xBF\xBD";
            ++replaced;
            i += bad;
        } else {
            out.append(text, i, n);
            i += n;
        }
    }
    return out;
}

uint32_t nextCodePoint(std::string_view s, size_t& i) {
    const auto byte = [&](size_t k) { return static_cast<uint32_t>(static_cast<uint8_t>(s[k])); };
    const uint32_t b0 = byte(i);
    if (b0 < 0x80) return s[i++];
    if (b0 < 0xE0) {
        i += 2;
        return ((b0 & 0x1F) << 6) | (byte(i - 1) & 0x3F);
    }
    if (b0 < 0xF0) {
        i += 3;
        return ((b0 & 0x0F) << 12) | ((byte(i - 2) & 0x3F) << 6) | (byte(i - 1) & 0x3F);
    }
    i += 4;
    return ((b0 & 0x07) << 18) | ((byte(i - 3) & 0x3F) << 12) | ((byte(i - 2) & 0x3F) << 6) | (byte(i - 1) & 0x3F);
}

void appendUtf8(std::string& out, uint32_t c) {
    const auto put = [&](uint32_t b) { out += static_cast<char>(b); };
    if (c < 0x80)
        put(c);
    else if (c < 0x800) {
        put(0xC0 | (c >> 6));
        put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put(0xE0 | (c >> 12));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    } else {
        put(0xF0 | (c >> 18));
        put(0x80 | ((c >> 12) & 0x3F));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    }
}

size_t countCodePoints(std::string_view text) {
    size_t n = 0;
    for (const char c : text) n += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
    return n;
}

bool isWhiteSpace(uint32_t c) {
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

} // namespace qw
