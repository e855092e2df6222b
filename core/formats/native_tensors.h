// SPDX-License-Identifier: GPL-3.0-or-later
// What: one quantized matrix in its native stored form (export.md 6.1): codes packed, integer zero points narrowed where they fit.
#pragma once

#include "checkpoint/native.h"

namespace qw::formats {

// Fills what is not null for some rows, as numerics::Outputs has it. Called when it is a stored tensor's turn.
using ModuleRead = std::function<Status(checkpoint::RowRange rows, int8_t* codes, void* scale, void* zero)>;
[[nodiscard]] Status addNativeModule(std::vector<checkpoint::TensorSource>& out, const std::string& module,
                                     const checkpoint::NativeLayout& layout, const ModuleRead& read);

// quantization_config of a native folder, as JSON.
[[nodiscard]] std::string nativeConfig();

} // namespace qw::formats
