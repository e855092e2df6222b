// SPDX-License-Identifier: GPL-3.0-or-later
// What: a parallel-for for callers without torch: fixed threads that wait for work.
#pragma once

#include "base/parallel.h"

namespace qw::numerics {

// count 0: one per processor. The threads end with the last copy of the result.
[[nodiscard]] ParallelFor threadPool(int count);

} // namespace qw::numerics
