// SPDX-License-Identifier: GPL-3.0-or-later
// What: the decoder chain: token texts back to one UTF-8 string.
#pragma once

#include "tokenizer/pipeline.h"
#include "tokenizer/regex.h"

#include <string>
#include <vector>

namespace qw::tokenizer {

class Decoder {
public:
    [[nodiscard]] static Result<Decoder> make(const Pipeline& pipeline, std::vector<std::string>& warnings);
    [[nodiscard]] std::string run(std::vector<std::string> tokens) const;

private:
    struct Step {
        DecoderStep what;
        std::vector<Regex> regex; // none or one
    };
    std::vector<Step> m_steps;
    bool m_joinWithSpaces = false;
};

} // namespace qw::tokenizer
