// SPDX-License-Identifier: GPL-3.0-or-later
// What: resolved quantization blocks as JSON with the recipe's own keys, as native folders keep them (export.md 6.1).
#pragma once

#include "checkpoint/json_value.h"
#include "records/quant_block.h"

namespace qw::checkpoint {

[[nodiscard]] std::string quantBlockToJson(const records::QuantBlock& block);
[[nodiscard]] Result<records::QuantBlock> quantBlockFromJson(const JsonValue& json);
// What decides the numbers: preset, weight, activation, embedding, modules. Training-only keys are left out.
[[nodiscard]] std::string qatBlockToJson(const records::QatBlock& block);
[[nodiscard]] Result<records::QatBlock> qatBlockFromJson(const JsonValue& json);

} // namespace qw::checkpoint
