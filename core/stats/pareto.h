// SPDX-License-Identifier: GPL-3.0-or-later
// What: which of several candidates no other one beats in both of two measures.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace qw::stats {

struct Candidate {
    double x = 0, y = 0;
};
enum class Better : unsigned char { Lower, Higher };

// Indices in the order of x. Beaten: another one is at least as good in both and better in one; equals stand side by side.
// Candidates without two finite numbers take no part.
[[nodiscard]] std::vector<size_t> paretoFront(std::span<const Candidate> candidates, Better x, Better y);

} // namespace qw::stats
