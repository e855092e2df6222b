// SPDX-License-Identifier: GPL-3.0-or-later
// What: the two clocks. Wall time is for people and files, monotonic time for durations.
#pragma once

#include <cstdint>

namespace qw {

[[nodiscard]] int64_t wallMs();      // milliseconds since 1970, UTC
[[nodiscard]] int64_t monotonicNs(); // nanoseconds since an arbitrary start, never goes back

} // namespace qw
