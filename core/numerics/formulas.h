// SPDX-License-Identifier: GPL-3.0-or-later
// What: quantization.md 2.1-2.5 and 2.7 for one value, every intermediate rounded to T, S or P as its page says.
// Why here: the reference, the fused kernels' special groups and the range search share these few lines.
// Limits: built with -ffp-contract=off; a NaN zero point is INT32_MIN, as a conversion from NaN gives on x86 and in ATen.
#pragma once

#include "numerics/fake_quant.h"
#include "numerics/half.h"

#include <cmath>
#include <limits>

namespace qw::numerics {

inline constexpr float kNanZeroPoint = -2147483648.0f;

// std::min and std::max drop NaN; these keep it.
[[nodiscard]] inline float lower(float a, float b) { return std::isnan(a) || a < b ? a : b; }
[[nodiscard]] inline float higher(float a, float b) { return std::isnan(a) || a > b ? a : b; }
[[nodiscard]] inline float limit(float v, float low, float high) { return v < low ? low : v > high ? high : v; }

// P: fp32 if T or S is, else their common 16-bit type.
[[nodiscard]] inline DType promoted(DType t, DType s) { return t == s ? t : DType::F32; }

// What a group's values are quantized with.
struct GroupParams {
    float scale = 0, inverse = 0;
    float zero = 0;    // IntAsymmetric: integer; Tinygemm, Int4Zp: real
    float minimum = 0; // Tinygemm: re-derived; Int4Zp: the true one
};

// lo, hi: the group's minimum and maximum in T.
[[nodiscard]] inline GroupParams groupParams(const Grid& g, float lo, float hi) {
    const DType T = g.type, S = g.scaleType;
    const auto eps = static_cast<float>(g.eps);
    const auto span = static_cast<float>(g.qmax - g.qmin);
    GroupParams p;
    switch (g.family) {
    case Family::IntSymmetric: {
        float s;
        if (g.noClip) {
            const float below = roundTo(T, lower(lo, 0.0f) / static_cast<float>(g.qmin));
            const float above = roundTo(T, higher(hi, 0.0f) / static_cast<float>(g.qmax));
            s = below > above ? below : above;
            if (std::isnan(below)) s = below;
        } else {
            s = roundTo(T, higher(higher(hi, 0.0f), -lower(lo, 0.0f)) / (span / 2.0f));
            if (std::isnan(lo)) s = lo;
        }
        p.scale = roundTo(S, higher(s, roundTo(T, eps)));
        p.inverse = roundTo(S, 1.0f / p.scale);
        return p;
    }
    case Family::IntAsymmetric: {
        const float low = lower(lo, 0.0f), high = higher(hi, 0.0f);
        const float s = higher(roundTo(T, roundTo(T, high - low) / span), roundTo(T, eps));
        const float zero = limit(static_cast<float>(g.qmin) - std::nearbyintf(roundTo(T, low / s)), static_cast<float>(g.qmin),
                                 static_cast<float>(g.qmax));
        p.zero = std::isnan(zero) ? kNanZeroPoint : zero;
        p.scale = roundTo(S, s);
        p.inverse = roundTo(S, 1.0f / p.scale);
        return p;
    }
    case Family::Tinygemm: {
        const float mid = (span + 1.0f) / 2.0f;
        const float s = higher(roundTo(T, roundTo(T, hi - lo) / span), roundTo(T, eps));
        p.scale = roundTo(S, s);
        p.zero = roundTo(S, roundTo(T, lo + roundTo(T, s * mid)));
        p.minimum = roundTo(S, p.zero - roundTo(S, p.scale * mid));
        return p;
    }
    case Family::Int4Zp:
        p.scale = higher(hi - lo, eps) / 15.0f;
        p.zero = lo + p.scale * 8.0f;
        p.minimum = lo;
        return p;
    }
    return p;
}

// The code before clamping, in the codes' own range (Int4Zp: -8 … 7).
[[nodiscard]] inline float rawCode(const Grid& g, const GroupParams& p, float x) {
    const DType P = promoted(g.type, g.scaleType);
    switch (g.family) {
    case Family::IntSymmetric:
        return roundTo(P, std::nearbyintf(roundTo(P, x * p.inverse)) + 0.0f);
    case Family::IntAsymmetric:
        return roundTo(P, std::nearbyintf(roundTo(P, x * p.inverse)) + p.zero);
    case Family::Tinygemm:
        return std::nearbyintf(roundTo(P, roundTo(P, x - p.minimum) / p.scale));
    case Family::Int4Zp:
        return std::nearbyintf((x - p.minimum) / p.scale) - 8.0f;
    }
    return 0;
}

// The value of a code, rounded to T.
[[nodiscard]] inline float codeValue(const Grid& g, const GroupParams& p, float q) {
    const DType T = g.type, P = promoted(g.type, g.scaleType);
    switch (g.family) {
    case Family::IntSymmetric:
        return roundTo(T, roundTo(P, q * p.scale));
    case Family::IntAsymmetric:
        return roundTo(T, roundTo(P, roundTo(T, q - p.zero) * p.scale));
    case Family::Tinygemm:
        return roundTo(T, roundTo(T, (q - static_cast<float>((g.qmax + 1) / 2)) * p.scale) + p.zero);
    case Family::Int4Zp:
        return roundTo(T, q * p.scale + p.zero);
    }
    return 0;
}

// Minimum and maximum of one group of a row, NaN if it holds one.
void groupRange(const Grid& g, const void* row, int64_t group, float& lo, float& hi);

[[nodiscard]] inline int8_t storedCode(float q) { return std::isnan(q) ? int8_t{0} : static_cast<int8_t>(static_cast<int>(q)); }

} // namespace qw::numerics
