// SPDX-License-Identifier: GPL-3.0-or-later
// What: the merge table and the two merge loops, one for short and one for long pieces. Both give the same ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace qw::tokenizer {

struct Merge {
    uint32_t rank = UINT32_MAX; // UINT32_MAX: this pair does not merge
    int32_t id = -1;
};

// Open-addressing table from a pair of ids to its merge.
class MergeTable {
public:
    void reserve(size_t count);
    void set(int32_t left, int32_t right, Merge merge); // a repeated pair keeps the last
    [[nodiscard]] Merge find(int32_t left, int32_t right) const {
        if (m_mask == 0) return {};
        const uint64_t key = keyOf(left, right);
        for (size_t slot = slotOf(key);; slot = (slot + 1) & m_mask) {
            if (m_slots[slot].key == key) return m_slots[slot].merge;
            if (m_slots[slot].key == kFree) return {};
        }
    }

private:
    static constexpr uint64_t kFree = UINT64_MAX;
    struct Slot {
        uint64_t key = kFree;
        Merge merge;
    };
    static uint64_t keyOf(int32_t left, int32_t right) {
        return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
    }
    [[nodiscard]] size_t slotOf(uint64_t key) const {
        key *= 0x9E3779B97F4A7C15ULL;
        return static_cast<size_t>(key ^ (key >> 32)) & m_mask;
    }
    std::vector<Slot> m_slots;
    size_t m_mask = 0;
};

// Merges in place until no pair merges.
void mergeAll(std::vector<int32_t>& ids, const MergeTable& merges);

} // namespace qw::tokenizer
