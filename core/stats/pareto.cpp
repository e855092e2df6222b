// SPDX-License-Identifier: GPL-3.0-or-later
#include "stats/pareto.h"

#include <algorithm>
#include <cmath>

namespace qw::stats {

std::vector<size_t> paretoFront(std::span<const Candidate> candidates, Better x, Better y) {
    // Both measures as costs: the smaller the better.
    const auto costX = [&](size_t i) { return x == Better::Lower ? candidates[i].x : -candidates[i].x; };
    const auto costY = [&](size_t i) { return y == Better::Lower ? candidates[i].y : -candidates[i].y; };
    std::vector<size_t> order;
    for (size_t i = 0; i < candidates.size(); ++i)
        if (std::isfinite(candidates[i].x) && std::isfinite(candidates[i].y)) order.push_back(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return costX(a) != costX(b) ? costX(a) < costX(b) : costY(a) < costY(b); });
    std::vector<size_t> front;
    for (const size_t i : order) {
        const bool equal = !front.empty() && costX(front.back()) == costX(i) && costY(front.back()) == costY(i);
        if (front.empty() || equal || costY(i) < costY(front.back())) front.push_back(i);
    }
    std::stable_sort(front.begin(), front.end(), [&](size_t a, size_t b) { return candidates[a].x < candidates[b].x; });
    return front;
}

} // namespace qw::stats
