// SPDX-License-Identifier: GPL-3.0-or-later
// What: finds added tokens in text, leftmost and longest first, with their flags, as tokenizers' added_vocabulary.rs does.
#pragma once

#include "tokenizer/pipeline.h"

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace qw::tokenizer {

class AddedTokens {
public:
    struct Part {
        size_t begin = 0, end = 0;
        int32_t id = -1; // -1: text between tokens
    };

    // content is what is looked for: the token's own, or its normalised form.
    void add(const AddedToken& token, std::string_view content);
    [[nodiscard]] bool empty() const { return m_tokens.empty(); }
    // Appends parts that cover text. matchSpecials off: special tokens stay text.
    void find(std::string_view text, bool matchSpecials, std::vector<Part>& parts) const;

private:
    struct Token {
        int32_t id;
        bool singleWord, lstrip, rstrip, special;
    };
    [[nodiscard]] int longestAt(std::string_view text, size_t i, size_t& end) const;

    std::vector<Token> m_tokens;
    std::vector<int> m_tokenAt{-1};                 // per node of the byte trie: its token
    std::unordered_map<uint64_t, uint32_t> m_edges; // node * 256 + byte -> node
    std::array<bool, 256> m_first{};
};

} // namespace qw::tokenizer
