// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/packing.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace qw::data {
namespace {

constexpr int64_t kMaxPerPack = 200; // axolotl's sample_packing_bin_size

void endRow(Packed& out) {
    const auto n = static_cast<int64_t>(out.segments.size());
    if (out.rowStart.back() != n) out.rowStart.push_back(n);
}

// Documents as segments of at most seqLen tokens, or whole where greedy packing splits them itself.
std::vector<Segment> fitting(std::span<const uint64_t> offsets, const PackOptions& options, bool splitLater, Packed& out) {
    std::vector<Segment> segments;
    for (size_t d = 0; d + 1 < offsets.size(); ++d) {
        const auto begin = static_cast<int64_t>(offsets[d]);
        int64_t end = static_cast<int64_t>(offsets[d + 1]);
        if (options.excess == "truncate" && end - begin > options.seqLen - 1) { // torchtune keeps seq_len - 1
            end = begin + std::max<int64_t>(options.seqLen - 1, 1);
            ++out.truncated;
        }
        if (end - begin > options.seqLen) {
            if (options.excess == "drop") {
                ++out.dropped;
                continue;
            }
            if (options.excess == "error" && out.tooLong < 0) out.tooLong = static_cast<int64_t>(d);
        }
        const int64_t step = splitLater ? end - begin : options.seqLen;
        for (int64_t at = begin; at < end; at += step) segments.push_back({at, std::min(step, end - at), end});
    }
    return segments;
}

// In order, cut wherever a row is full.
void packSplitting(const std::vector<Segment>& segments, int64_t seqLen, Packed& out) {
    int64_t room = seqLen;
    for (Segment rest : segments)
        while (rest.length > 0) {
            if (room == 0) {
                endRow(out);
                room = seqLen;
            }
            const int64_t n = std::min(room, rest.length);
            out.segments.push_back({rest.begin, n, rest.documentEnd});
            rest.begin += n;
            rest.length -= n;
            room -= n;
        }
    endRow(out);
}

// In order, a segment that does not fit starts the next row.
void packWhole(const std::vector<Segment>& segments, int64_t seqLen, Packed& out) {
    int64_t room = seqLen;
    for (const Segment& segment : segments) {
        if (segment.length > room) {
            endRow(out);
            room = seqLen;
        }
        out.segments.push_back(segment);
        room -= segment.length;
    }
    endRow(out);
}

// Longest first, each into the fullest row it fits; equal ones in order.
void packBestFit(std::span<const Segment> window, int64_t seqLen, Packed& out) {
    std::vector<size_t> order(window.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return window[a].length > window[b].length; });
    std::vector<std::vector<size_t>> rows;
    std::set<std::pair<int64_t, size_t>> open; // room, row
    for (const size_t i : order) {
        const int64_t length = window[i].length;
        const auto fit = open.lower_bound({length, 0});
        std::pair<int64_t, size_t> row{seqLen, rows.size()};
        if (fit == open.end())
            rows.emplace_back();
        else {
            row = *fit;
            open.erase(fit);
        }
        rows[row.second].push_back(i);
        row.first -= length;
        if (row.first > 0 && static_cast<int64_t>(rows[row.second].size()) < kMaxPerPack) open.insert(row);
    }
    for (const auto& row : rows) {
        for (const size_t i : row) out.segments.push_back(window[i]);
        endRow(out);
    }
}

} // namespace

Packed pack(std::span<const uint64_t> offsets, const PackOptions& options) {
    Packed out;
    const bool splitLater = options.packing == "greedy" && options.excess == "split";
    const std::vector<Segment> segments = fitting(offsets, options, splitLater, out);
    if (out.tooLong >= 0) return out;
    if (options.packing == "none")
        for (const Segment& segment : segments) {
            out.segments.push_back(segment);
            endRow(out);
        }
    else if (splitLater)
        packSplitting(segments, options.seqLen, out);
    else if (options.packing == "greedy")
        packWhole(segments, options.seqLen, out);
    else {
        const auto step = static_cast<size_t>(std::max<int64_t>(options.window, 1));
        for (size_t at = 0; at < segments.size(); at += step)
            packBestFit(std::span(segments).subspan(at, std::min(step, segments.size() - at)), options.seqLen, out);
    }
    return out;
}

} // namespace qw::data
