// SPDX-License-Identifier: GPL-3.0-or-later
// What: text of tokens as they come: whole characters only, in the context of the tokens before, cut at the first stop string.
#pragma once

#include "tokenizer/tokenizer.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qw::eval {

class TextStream {
public:
    // tokenizer null: there is no text, and nothing stops. stops: no empty ones.
    TextStream(const tokenizer::Tokenizer* tokenizer, std::span<const int32_t> prompt, std::vector<std::string> stops);
    [[nodiscard]] std::string add(int32_t id); // what can be shown now; a possible beginning of a stop string is held back
    [[nodiscard]] std::string rest();          // what was held back, at the end
    [[nodiscard]] bool stopped() const { return m_stopped; }

private:
    [[nodiscard]] std::string fresh(bool last);
    [[nodiscard]] std::string release(const std::string& piece, bool last);

    const tokenizer::Tokenizer* m_tokenizer;
    std::vector<std::string> m_stops;
    std::vector<int32_t> m_window; // a few tokens that are out, as context of the decoder, then those that are not
    size_t m_shown = 0;            // how many of them are out
    std::string m_held;            // decoded, may begin a stop string
    bool m_stopped = false;
};

} // namespace qw::eval
