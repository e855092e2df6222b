// SPDX-License-Identifier: GPL-3.0-or-later
// What: one quantized matrix in its native stored form (export.md 6.1): codes packed, integer zero points narrowed where they fit.
#pragma once

#include "checkpoint/native.h"

namespace qw::formats {

// Fills what is not null, as numerics::Outputs has it. Called once for each stored tensor, when it is its turn.
using ModuleRead = std::function<Status(int8_t* codes, void* scale, void* zero)>;
[[nodiscard]] Status addNativeModule(std::vector<checkpoint::TensorSource>& out, const std::string& module,
                                     const checkpoint::NativeLayout& layout, const ModuleRead& read);

// quantization_config of a native folder, as JSON.
[[nodiscard]] std::string nativeConfig();

} // namespace qw::formats
