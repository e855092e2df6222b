// SPDX-License-Identifier: GPL-3.0-or-later
// What: a pseudo-random permutation of 0 … n-1, one index at a time (Feistel network with cycle walking).
#pragma once

#include <cstdint>

namespace qw::data {

// O(1) in expectation; needs no stored order, so a resume needs one number only.
[[nodiscard]] int64_t permute(uint64_t seed, int64_t epoch, int64_t n, int64_t index);

} // namespace qw::data
