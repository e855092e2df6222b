// SPDX-License-Identifier: GPL-3.0-or-later
// What: byte-pair encoding of one piece: lowest rank first, leftmost at equal rank (tokenizers.md 6.1), O(n log n) in the piece's length.
#pragma once

#include "tokenizer/pipeline.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qw::tokenizer {

struct BpeCounts {
    int64_t dropped = 0, unknown = 0;
    bool unkMissing = false; // an unknown character, and unk_token is not in the vocabulary
};

class Bpe {
public:
    // bytePieces: pieces are expected as raw bytes, and the mapping to the byte alphabet is done in here when bytes() says so.
    [[nodiscard]] static Result<Bpe> make(const BpeModel& model, bool bytePieces, const std::string& name);
    [[nodiscard]] bool bytes() const; // false when the vocabulary lacks some byte: pieces must then come mapped
    void encode(std::string_view piece, std::vector<int32_t>& ids, BpeCounts& counts) const;
    // Where a segment may be cut without changing a single id: no merge crosses a cut. Empty: nowhere is known.
    [[nodiscard]] std::string_view cutBefore() const;
    [[nodiscard]] int32_t id(std::string_view token) const;   // -1: not in the vocabulary
    [[nodiscard]] const std::string* token(int32_t id) const; // null: no such id
    [[nodiscard]] int64_t size() const;                       // number of tokens
    [[nodiscard]] int32_t highestId() const;

private:
    struct Tables;
    std::shared_ptr<const Tables> m_tables;
};

} // namespace qw::tokenizer
