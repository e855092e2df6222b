// SPDX-License-Identifier: GPL-3.0-or-later
// What: stored weight elements turned into the dtype that is asked for, with one rounding.
#pragma once

#include "records/quant_block.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qw::checkpoint {

[[nodiscard]] bool isWeightDtype(std::string_view dtype);  // F32, BF16, F16, F64
[[nodiscard]] const char* storedName(records::DType type); // "F32", "BF16", "F16"
[[nodiscard]] const char* configName(records::DType type); // "float32", "bfloat16", "float16"
[[nodiscard]] std::optional<records::DType> dtypeFromConfigName(std::string_view name);
// Both aligned; equal dtypes are copied bit for bit.
void convertElements(std::string_view from, const void* src, int64_t count, records::DType to, void* dst);

struct NonFinite {
    int64_t nan = 0, inf = 0;
};
void countNonFinite(std::string_view dtype, const void* src, int64_t count, NonFinite& into);

} // namespace qw::checkpoint
