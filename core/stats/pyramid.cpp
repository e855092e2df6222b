// SPDX-License-Identifier: GPL-3.0-or-later
#include "stats/pyramid.h"

#include <algorithm>

namespace qw::stats {
namespace {

template<typename T> Extent summary(const T* first, size_t count) {
    Extent extent;
    for (size_t i = 0; i < count; ++i) extent.add(first[i]);
    return extent;
}

// Adds the ends of [from, to) that fill no whole block and leaves the blocks between them.
template<typename T> void addEnds(const T* items, size_t& from, size_t& to, Extent& extent) {
    for (; from < to && from % Pyramid::kFan != 0; ++from) extent.add(items[from]);
    for (; from < to && to % Pyramid::kFan != 0; --to) extent.add(items[to - 1]);
    from /= Pyramid::kFan;
    to /= Pyramid::kFan;
}

} // namespace

void Pyramid::grow(std::span<const double> values) {
    if (values.size() < m_count) truncate(values.size());
    m_count = values.size();
    size_t below = m_count;
    for (size_t level = 0; below >= kFan; ++level) {
        if (level == m_levels.size()) m_levels.emplace_back();
        std::vector<Extent>& blocks = m_levels[level];
        blocks.reserve(below / kFan);
        for (size_t i = blocks.size(); i < below / kFan; ++i)
            blocks.push_back(level == 0 ? summary(values.data() + i * kFan, kFan) : summary(m_levels[level - 1].data() + i * kFan, kFan));
        below = blocks.size();
    }
}

void Pyramid::truncate(size_t count) {
    m_count = std::min(m_count, count);
    size_t below = m_count;
    for (std::vector<Extent>& blocks : m_levels) {
        below /= kFan;
        if (blocks.size() > below) blocks.resize(below);
    }
}

Extent Pyramid::range(std::span<const double> values, size_t from, size_t to) const {
    Extent extent;
    to = std::min({to, m_count, values.size()});
    if (from >= to) return extent;
    addEnds(values.data(), from, to, extent);
    for (const std::vector<Extent>& blocks : m_levels) {
        if (from >= to) break;
        addEnds(blocks.data(), from, to, extent);
    }
    return extent;
}

} // namespace qw::stats
