// SPDX-License-Identifier: GPL-3.0-or-later
// What: bfloat16 and IEEE half as raw 16-bit words, to and from float; one rounding, to nearest, ties to even.
// Limits: a NaN becomes the quiet NaN of its type; subnormals are kept, overflow gives infinity.
#pragma once

#include "records/quant_block.h"

#include <bit>
#include <cstdint>

namespace qw::numerics {

[[nodiscard]] inline float bf16ToFloat(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

[[nodiscard]] inline uint16_t floatToBf16(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fc0;
    return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

[[nodiscard]] inline float f16ToFloat(uint16_t half) {
    const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
    const uint32_t exponent = (half >> 10) & 0x1fu;
    const uint32_t mantissa = half & 0x3ffu;
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
    if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f; // exact
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
}

[[nodiscard]] inline uint16_t floatToF16(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);
    if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u); // 65520 and above round to infinity
    if (magnitude < 0x38800000u) {
        // Below 2^-14: adding 0.5 puts the units of 2^-24 into the lowest bits of the mantissa, with the addition's own rounding.
        const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
        return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u));
    }
    const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return static_cast<uint16_t>(sign | ((rounded >> 13) - (112u << 10)));
}

// Rounds a float to a type's precision and gives it back as float.
[[nodiscard]] inline float roundTo(records::DType type, float value) {
    switch (type) {
    case records::DType::F32:
        return value;
    case records::DType::BF16:
        return bf16ToFloat(floatToBf16(value));
    case records::DType::F16:
        return f16ToFloat(floatToF16(value));
    }
    return value;
}

[[nodiscard]] inline float loadAs(records::DType type, const void* from, int64_t index) {
    switch (type) {
    case records::DType::F32:
        return static_cast<const float*>(from)[index];
    case records::DType::BF16:
        return bf16ToFloat(static_cast<const uint16_t*>(from)[index]);
    case records::DType::F16:
        return f16ToFloat(static_cast<const uint16_t*>(from)[index]);
    }
    return 0;
}

inline void storeAs(records::DType type, void* to, int64_t index, float value) {
    switch (type) {
    case records::DType::F32:
        static_cast<float*>(to)[index] = value;
        return;
    case records::DType::BF16:
        static_cast<uint16_t*>(to)[index] = floatToBf16(value);
        return;
    case records::DType::F16:
        static_cast<uint16_t*>(to)[index] = floatToF16(value);
        return;
    }
}

} // namespace qw::numerics
