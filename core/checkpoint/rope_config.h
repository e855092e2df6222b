// SPDX-License-Identifier: GPL-3.0-or-later
// What: where a config keeps its rotary parameters and what they mean (models.md 3.1, 3.3).
#pragma once

#include "checkpoint/json_value.h"
#include "checkpoint/model_config.h"

namespace qw::checkpoint {

// headDim and maxPositions are already resolved. Notes are appended.
[[nodiscard]] Result<Rope> parseRope(const JsonValue& config, double defaultTheta, int64_t headDim, int64_t maxPositions,
                                     std::vector<std::string>& notes);

} // namespace qw::checkpoint
