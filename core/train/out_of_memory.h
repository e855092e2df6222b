// SPDX-License-Identifier: GPL-3.0-or-later
// What: tells whether an exception says that memory ran out: of the standard library, of a device, or LibTorch's plain error for the CPU.
#pragma once

#include <exception>

namespace qw::train {

[[nodiscard]] bool isOutOfMemory(const std::exception& error);

} // namespace qw::train
