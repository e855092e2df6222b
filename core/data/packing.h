// SPDX-License-Identifier: GPL-3.0-or-later
// What: which stretches of the token stream make which training row (training.md 2.2, 2.3). Only lengths are needed.
// A row is a list of segments; a segment is a stretch of one document. Labels follow from the stream: the next token of the same document.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qw::data {

struct Segment {
    int64_t begin = 0; // in the token stream
    int64_t length = 0;
    int64_t documentEnd = 0; // where its document ends in the stream: the position before that has no label
};

struct PackOptions {
    std::string packing = "greedy"; // none | greedy | bfd
    std::string excess = "split";   // split | truncate | drop | error
    int64_t seqLen = 0, window = 100000;
};

struct Packed {
    std::vector<Segment> segments;
    std::vector<int64_t> rowStart{0}; // rows + 1 indices into segments
    int64_t dropped = 0, truncated = 0;
    int64_t tooLong = -1; // with excess "error": the first document that is
};

// offsets: documents + 1 positions in the stream.
[[nodiscard]] Packed pack(std::span<const uint64_t> offsets, const PackOptions& options);

} // namespace qw::data
