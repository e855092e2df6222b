// SPDX-License-Identifier: GPL-3.0-or-later
// What: codes of 2 to 8 bits as the little-endian bit stream of export.md 6.1: row by row, every row padded to a whole byte.
// Limits: column c of a row takes bits [c·bits, (c+1)·bits); 4 bits put the even column in the low nibble. Padding bits are zero.
#pragma once

#include <cstdint>

namespace qw::numerics {

[[nodiscard]] constexpr int64_t packedRowBytes(int bits, int64_t cols) { return (cols * bits + 7) / 8; }

// codes: [rows, cols], the low `bits` bits of each count. packed: rows · packedRowBytes bytes.
void packCodes(int bits, int64_t rows, int64_t cols, const int8_t* codes, uint8_t* packed);
// isSigned: two's complement, else the byte holds 0 … 2^bits - 1.
void unpackCodes(int bits, bool isSigned, int64_t rows, int64_t cols, const uint8_t* packed, int8_t* codes);

} // namespace qw::numerics
