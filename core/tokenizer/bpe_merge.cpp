// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/bpe_merge.h"

#include <algorithm>
#include <array>

namespace qw::tokenizer {
namespace {

constexpr size_t kShort = 32; // symbols; below, a scan for the best pair beats a heap

void mergeShort(std::vector<int32_t>& ids, const MergeTable& merges) {
    std::array<Merge, kShort> pair; // pair[i]: of symbols i and i + 1
    size_t n = ids.size();
    for (size_t i = 0; i + 1 < n; ++i) pair[i] = merges.find(ids[i], ids[i + 1]);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; ++i)
            if (pair[i].rank < pair[best].rank) best = i;
        if (pair[best].rank == UINT32_MAX) break;
        ids[best] = pair[best].id;
        std::copy(ids.begin() + static_cast<std::ptrdiff_t>(best) + 2, ids.begin() + static_cast<std::ptrdiff_t>(n),
                  ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
        std::copy(pair.begin() + static_cast<std::ptrdiff_t>(best) + 1, pair.begin() + static_cast<std::ptrdiff_t>(n) - 1,
                  pair.begin() + static_cast<std::ptrdiff_t>(best));
        --n;
        if (best + 1 < n) pair[best] = merges.find(ids[best], ids[best + 1]);
        if (best > 0) pair[best - 1] = merges.find(ids[best - 1], ids[best]);
    }
    ids.resize(n);
}

// Heap keyed (rank, position) over a linked list; entries go stale and are checked when they come up.
struct Candidate {
    uint32_t rank, position;
    int32_t id;
    // std's heaps put the largest on top.
    bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : position > other.position; }
};

void mergeLong(std::vector<int32_t>& ids, const MergeTable& merges) {
    const auto n = static_cast<int64_t>(ids.size());
    std::vector<int64_t> previous(ids.size()), next(ids.size());
    std::vector<bool> gone(ids.size());
    std::vector<Candidate> heap;
    heap.reserve(ids.size());
    const auto candidate = [&](int64_t left, int64_t right) -> Candidate {
        const Merge merge = merges.find(ids[static_cast<size_t>(left)], ids[static_cast<size_t>(right)]);
        return {merge.rank, static_cast<uint32_t>(left), merge.id};
    };
    for (int64_t i = 0; i < n; ++i) {
        previous[static_cast<size_t>(i)] = i - 1;
        next[static_cast<size_t>(i)] = i + 1 < n ? i + 1 : -1;
        if (i + 1 < n)
            if (const Candidate c = candidate(i, i + 1); c.rank != UINT32_MAX) heap.push_back(c);
    }
    std::make_heap(heap.begin(), heap.end());
    const auto push = [&](int64_t left, int64_t right) {
        const Candidate c = candidate(left, right);
        if (c.rank == UINT32_MAX) return;
        heap.push_back(c);
        std::push_heap(heap.begin(), heap.end());
    };
    while (!heap.empty()) {
        const Candidate top = heap.front();
        std::pop_heap(heap.begin(), heap.end());
        heap.pop_back();
        const size_t left = top.position;
        if (gone[left] || next[left] < 0) continue;
        const auto right = static_cast<size_t>(next[left]);
        if (merges.find(ids[left], ids[right]).id != top.id) continue;
        ids[left] = top.id;
        gone[right] = true;
        next[left] = next[right];
        if (next[left] >= 0) previous[static_cast<size_t>(next[left])] = static_cast<int64_t>(left);
        if (previous[left] >= 0) push(previous[left], static_cast<int64_t>(left));
        if (next[left] >= 0) push(static_cast<int64_t>(left), next[left]);
    }
    size_t out = 0;
    for (size_t i = 0; i < ids.size(); ++i)
        if (!gone[i]) ids[out++] = ids[i];
    ids.resize(out);
}

} // namespace

void MergeTable::reserve(size_t count) {
    size_t slots = 16;
    while (slots < count * 2) slots *= 2;
    m_slots.assign(slots, {});
    m_mask = slots - 1;
}

void MergeTable::set(int32_t left, int32_t right, Merge merge) {
    const uint64_t key = keyOf(left, right);
    size_t slot = slotOf(key);
    while (m_slots[slot].key != kFree && m_slots[slot].key != key) slot = (slot + 1) & m_mask;
    m_slots[slot] = {key, merge};
}

void mergeAll(std::vector<int32_t>& ids, const MergeTable& merges) {
    if (ids.size() < 2) return;
    if (ids.size() <= kShort)
        mergeShort(ids, merges);
    else
        mergeLong(ids, merges);
}

} // namespace qw::tokenizer
