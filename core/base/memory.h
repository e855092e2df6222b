// SPDX-License-Identifier: GPL-3.0-or-later
// What: how much memory the kernel could hand out at once.
#pragma once

#include <cstdint>

namespace qw {

[[nodiscard]] uint64_t availableMemory(); // bytes; 0: unknown

} // namespace qw
