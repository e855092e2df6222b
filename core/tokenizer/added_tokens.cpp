// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/added_tokens.h"

#include "base/utf8.h"
#include "tokenizer/alphabet.h"

#include <algorithm>

namespace qw::tokenizer {
namespace {

size_t startOfLast(std::string_view text, size_t end) {
    size_t i = end - 1;
    while (i > 0 && (static_cast<uint8_t>(text[i]) & 0xC0) == 0x80) --i;
    return i;
}

bool wordBefore(std::string_view text, size_t end) {
    if (end == 0) return false;
    size_t i = startOfLast(text, end);
    return isWordCharacter(nextCodePoint(text, i));
}

bool wordAfter(std::string_view text, size_t i) { return i < text.size() && isWordCharacter(nextCodePoint(text, i)); }

size_t skipSpaceLeft(std::string_view text, size_t end) {
    while (end > 0) {
        const size_t last = startOfLast(text, end);
        size_t i = last;
        if (!isUnicodeSpace(nextCodePoint(text, i))) break;
        end = last;
    }
    return end;
}

size_t skipSpaceRight(std::string_view text, size_t i) {
    while (i < text.size()) {
        size_t next = i;
        if (!isUnicodeSpace(nextCodePoint(text, next))) break;
        i = next;
    }
    return i;
}

} // namespace

void AddedTokens::add(const AddedToken& token, std::string_view content) {
    if (content.empty()) return;
    uint32_t node = 0;
    for (const char c : content) {
        const uint64_t key = uint64_t{node} * 256 + static_cast<uint8_t>(c);
        const auto [it, isNew] = m_edges.try_emplace(key, static_cast<uint32_t>(m_tokenAt.size()));
        if (isNew) m_tokenAt.push_back(-1);
        node = it->second;
    }
    if (m_tokenAt[node] >= 0) return; // the first of two equal patterns wins
    m_tokenAt[node] = static_cast<int>(m_tokens.size());
    m_tokens.push_back({token.id, token.singleWord, token.lstrip, token.rstrip, token.special});
    m_first[static_cast<uint8_t>(content[0])] = true;
}

int AddedTokens::longestAt(std::string_view text, size_t i, size_t& end) const {
    int best = -1;
    uint32_t node = 0;
    for (; i < text.size(); ++i) {
        const auto edge = m_edges.find(uint64_t{node} * 256 + static_cast<uint8_t>(text[i]));
        if (edge == m_edges.end()) break;
        node = edge->second;
        if (m_tokenAt[node] >= 0) {
            best = m_tokenAt[node];
            end = i + 1;
        }
    }
    return best;
}

void AddedTokens::find(std::string_view text, bool matchSpecials, std::vector<Part>& parts) const {
    size_t done = 0; // end of the last part
    for (size_t i = 0; !m_tokens.empty() && i < text.size();) {
        size_t stop = i;
        const int hit = m_first[static_cast<uint8_t>(text[i])] ? longestAt(text, i, stop) : -1;
        if (hit < 0) {
            ++i;
            continue;
        }
        const Token& token = m_tokens[static_cast<size_t>(hit)];
        size_t start = i;
        i = stop; // a match that is turned down is not tried again
        if (token.special && !matchSpecials) continue;
        if (token.singleWord && (wordBefore(text, start) || wordAfter(text, stop))) continue;
        if (token.lstrip) start = std::max(skipSpaceLeft(text, start), done);
        if (token.rstrip) stop = skipSpaceRight(text, stop);
        if (done < start) parts.push_back({done, start, -1});
        parts.push_back({start, stop, token.id});
        done = stop;
    }
    if (done < text.size()) parts.push_back({done, text.size(), -1});
}

} // namespace qw::tokenizer
