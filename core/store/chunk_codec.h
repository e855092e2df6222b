// SPDX-License-Identifier: GPL-3.0-or-later
// What: blobs of metric_chunk and layer_stat. Nothing is lost: fp32 is used only where every value survives it.
// Layout: steps, then times, then values. enc 1: varint stride; enc 2 and 3: varint step deltas; times: zigzag varint deltas;
// values little endian, fp32 for 1 and 2, fp64 for 3. Entries (levels above 0): enc 2 or 3, deltas of last steps, then min, max, mean,
// last.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qw::store {

constexpr size_t kChunkPoints = 512, kGroup = 16;

struct Point {
    int64_t step = 0, tsMs = 0;
    double value = 0;
    bool operator==(const Point&) const = default;
};
struct Entry { // 16 points of the level below
    int64_t lastStep = 0;
    double min = 0, max = 0, mean = 0, last = 0; // over finite values; without any, not a number
};
struct Encoded {
    int enc = 0;
    std::string data;
};

[[nodiscard]] Encoded encodePoints(const std::vector<Point>& points); // steps rise strictly; the first step and time are not in the data
[[nodiscard]] Result<std::vector<Point>> decodePoints(int enc, std::string_view data, size_t n, int64_t step0, int64_t ts0);
// layer_stat has no column for the encoding and no times: the encoding is the first byte of the data.
[[nodiscard]] std::string encodeLayerPoints(const std::vector<Point>& points);
[[nodiscard]] Result<std::vector<Point>> decodeLayerPoints(std::string_view data, size_t n, int64_t step0);
[[nodiscard]] Encoded encodeEntries(const std::vector<Entry>& entries, int64_t step0);
[[nodiscard]] Result<std::vector<Entry>> decodeEntries(int enc, std::string_view data, size_t n, int64_t step0);

[[nodiscard]] Entry summarise(const Point* points, size_t n);
[[nodiscard]] Entry summarise(const Entry* entries, size_t n);

} // namespace qw::store
