// SPDX-License-Identifier: GPL-3.0-or-later
#include "numerics/bitpack.h"

namespace qw::numerics {

void packCodes(int bits, int64_t rows, int64_t cols, const int8_t* codes, uint8_t* packed) {
    const uint32_t low = (1u << bits) - 1u;
    for (int64_t r = 0; r < rows; ++r) {
        const int8_t* row = codes + r * cols;
        uint8_t* out = packed + r * packedRowBytes(bits, cols);
        uint32_t pending = 0;
        int held = 0;
        for (int64_t c = 0; c < cols; ++c) {
            pending |= (static_cast<uint32_t>(static_cast<uint8_t>(row[c])) & low) << held;
            for (held += bits; held >= 8; held -= 8, pending >>= 8) *out++ = static_cast<uint8_t>(pending);
        }
        if (held > 0) *out = static_cast<uint8_t>(pending);
    }
}

void unpackCodes(int bits, bool isSigned, int64_t rows, int64_t cols, const uint8_t* packed, int8_t* codes) {
    const uint32_t low = (1u << bits) - 1u;
    const uint32_t sign = isSigned ? 1u << (bits - 1) : 0u;
    for (int64_t r = 0; r < rows; ++r) {
        const uint8_t* in = packed + r * packedRowBytes(bits, cols);
        int8_t* row = codes + r * cols;
        uint32_t pending = 0;
        int held = 0;
        for (int64_t c = 0; c < cols; ++c) {
            if (held < bits) {
                pending |= static_cast<uint32_t>(*in++) << held;
                held += 8;
            }
            const uint32_t value = pending & low;
            row[c] = static_cast<int8_t>(static_cast<uint8_t>((value ^ sign) - sign)); // flips and subtracts the sign bit: extends it
            pending >>= bits;
            held -= bits;
        }
    }
}

} // namespace qw::numerics
