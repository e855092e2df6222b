// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/permutation.h"

#include <bit>

namespace qw::data {
namespace {

uint64_t mix(uint64_t x) { // SplitMix64's finaliser
    x += 0x9E3779B97F4A7C15ULL;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

} // namespace

int64_t permute(uint64_t seed, int64_t epoch, int64_t n, int64_t index) {
    if (n < 2) return 0;
    const uint64_t key = mix(mix(seed) ^ static_cast<uint64_t>(epoch));
    const int half = (std::bit_width(static_cast<uint64_t>(n - 1)) + 1) / 2;
    const uint64_t mask = (uint64_t{1} << half) - 1;
    auto x = static_cast<uint64_t>(index);
    do { // the network permutes 4^half values, fewer than 4n: walk until one lies below n
        uint64_t left = x >> half, right = x & mask;
        for (uint64_t round = 0; round < 6; ++round) {
            const uint64_t next = left ^ (mix(right ^ key ^ (round << 56)) & mask);
            left = right;
            right = next;
        }
        x = left << half | right;
    } while (x >= static_cast<uint64_t>(n));
    return static_cast<int64_t>(x);
}

} // namespace qw::data
