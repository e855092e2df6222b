// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/nearest.h"

#include <algorithm>
#include <numeric>

namespace qw::config {

namespace {

// Levenshtein distance with transposition of neighbours counted as one edit (optimal string alignment).
size_t distance(const std::string& a, const std::string& b) {
    std::vector<size_t> before, last(b.size() + 1), now(b.size() + 1);
    std::iota(last.begin(), last.end(), size_t{0});
    for (size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
        }
        before = last;
        last = now;
    }
    return last[b.size()];
}

} // namespace

std::string didYouMean(const std::string& word, const std::vector<std::string>& known) {
    if (word.size() > 64) return {};
    const std::string* best = nullptr;
    size_t least = std::max<size_t>(2, word.size() / 2) + 1;
    for (const std::string& candidate : known) {
        // A name that holds the other (max_step, max_steps_per_run) is near however long the rest is.
        const bool holds = word.size() >= 3 && candidate.size() >= 3 &&
                           (candidate.find(word) != std::string::npos || word.find(candidate) != std::string::npos);
        const size_t d = std::min(distance(word, candidate), holds ? size_t{2} : size_t{1000});
        if (d < least) {
            least = d;
            best = &candidate;
        }
    }
    return best ? "; did you mean '" + *best + "'?" : std::string();
}

} // namespace qw::config
