// SPDX-License-Identifier: GPL-3.0-or-later
// What: the scheme that a native folder was written with, back as a block.
#pragma once

#include "base/result.h"
#include "records/quant_block.h"

#include <string>

namespace qw::engine {

// schemesJson: JSON array of resolved qat blocks (export.md 6.1); a folder of ours has exactly one.
[[nodiscard]] Result<records::QatBlock> firstNativeScheme(const std::string& schemesJson);

} // namespace qw::engine
