// SPDX-License-Identifier: GPL-3.0-or-later
// What: the normalizer chain of a tokenizer.json; input and output are valid UTF-8.
#pragma once

#include "tokenizer/pipeline.h"
#include "tokenizer/regex.h"

#include <string>
#include <string_view>
#include <vector>

namespace qw::tokenizer {

class Normalizer {
public:
    [[nodiscard]] static Result<Normalizer> make(const std::vector<NormalizerStep>& steps, std::vector<std::string>& warnings);
    [[nodiscard]] bool empty() const { return m_steps.empty(); }
    // In place. False: a regex gave up (failure says which).
    [[nodiscard]] bool run(std::string& text, std::string& failure) const;

private:
    struct Step {
        NormalizerStep what;
        std::vector<Regex> regex; // one when the pattern is one
    };
    std::vector<Step> m_steps;
};

// Every occurrence of the literal from becomes to.
void replaceAll(std::string& text, std::string_view from, std::string_view to);

} // namespace qw::tokenizer
