// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/convert.h"

#include "numerics/half.h"

#include <array>
#include <cmath>
#include <cstring>

namespace qw::checkpoint {
namespace {

using records::DType;

struct Names {
    DType type;
    const char *stored, *config;
};
constexpr std::array kNames{Names{DType::F32, "F32", "float32"}, Names{DType::BF16, "BF16", "bfloat16"},
                            Names{DType::F16, "F16", "float16"}};

// Double to float rounded to odd, so that the next, shorter rounding sees where the exact value lay (Boldo & Melquiond 2008).
float roundToOdd(double value) {
    const float nearest = static_cast<float>(value);
    if (!std::isfinite(nearest) || static_cast<double>(nearest) == value) return nearest;
    uint32_t bits = std::bit_cast<uint32_t>(nearest);
    if (bits & 1u) return nearest;
    const bool tooFar = std::fabs(static_cast<double>(nearest)) > std::fabs(value);
    bits = tooFar ? bits - 1 : bits + 1;
    return std::bit_cast<float>(bits);
}

float loadFloat(std::string_view from, const void* src, int64_t i, DType to) {
    if (from == "F32") return static_cast<const float*>(src)[i];
    if (from == "BF16") return numerics::bf16ToFloat(static_cast<const uint16_t*>(src)[i]);
    if (from == "F16") return numerics::f16ToFloat(static_cast<const uint16_t*>(src)[i]);
    const double value = static_cast<const double*>(src)[i];
    return to == DType::F32 ? static_cast<float>(value) : roundToOdd(value);
}

} // namespace

bool isWeightDtype(std::string_view dtype) { return dtype == "F32" || dtype == "BF16" || dtype == "F16" || dtype == "F64"; }

const char* storedName(DType type) { return kNames[static_cast<size_t>(type)].stored; }
const char* configName(DType type) { return kNames[static_cast<size_t>(type)].config; }

std::optional<DType> dtypeFromConfigName(std::string_view name) {
    for (const Names& n : kNames)
        if (name == n.config) return n.type;
    return std::nullopt;
}

void convertElements(std::string_view from, const void* src, int64_t count, DType to, void* dst) {
    if (from == storedName(to)) {
        std::memcpy(dst, src, static_cast<size_t>(count) * (to == DType::F32 ? 4 : 2));
        return;
    }
    for (int64_t i = 0; i < count; ++i) {
        const float value = loadFloat(from, src, i, to);
        if (to == DType::F32)
            static_cast<float*>(dst)[i] = value;
        else
            static_cast<uint16_t*>(dst)[i] = to == DType::BF16 ? numerics::floatToBf16(value) : numerics::floatToF16(value);
    }
}

void countNonFinite(std::string_view dtype, const void* src, int64_t count, NonFinite& into) {
    const auto add = [&](double value) {
        if (std::isnan(value))
            ++into.nan;
        else if (std::isinf(value))
            ++into.inf;
    };
    if (!isWeightDtype(dtype)) return;
    for (int64_t i = 0; i < count; ++i) add(dtype == "F64" ? static_cast<const double*>(src)[i] : loadFloat(dtype, src, i, DType::F32));
}

} // namespace qw::checkpoint
