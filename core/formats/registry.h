// SPDX-License-Identifier: GPL-3.0-or-later
// What: the formats by name. A new one is a file, a line here and a line in registry.cpp.
#pragma once

#include "formats/format.h"

namespace qw::formats {

extern const Format kHuggingFace, kHuggingFaceLatent, kNative, kCompressedTensors, kCompressedTensorsW4A8, kCompressedTensorsW4A8Int8,
    kGguf, kGgufF32, kGptq, kAwq, kTorchao;

} // namespace qw::formats
