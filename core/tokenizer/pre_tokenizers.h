// SPDX-License-Identifier: GPL-3.0-or-later
// What: the pre-tokenizer chain: cuts a normalised segment into pieces that the model sees one by one.
#pragma once

#include "tokenizer/pipeline.h"
#include "tokenizer/regex.h"

#include <string>
#include <vector>

namespace qw::tokenizer {

// A segment on its way: pieces are spans of text. Reused between segments to save allocations.
struct Pieces {
    std::string text;
    std::vector<Span> spans;
    bool startsText = false; // the first piece begins where the original text begins (Metaspace "first")
    std::string otherText;   // scratch
    std::vector<Span> otherSpans, matches;
    std::vector<std::pair<Span, bool>> parts;
};

class PreTokenizer {
public:
    [[nodiscard]] static Result<PreTokenizer> make(const std::vector<PreTokenizerStep>& steps, std::vector<std::string>& warnings);
    // The last step maps bytes to the byte alphabet and nothing follows: with rawBytes that mapping is left to the model.
    [[nodiscard]] bool endsInBytes() const { return m_endsInBytes; }
    // pieces.text is the segment. False: a regex gave up.
    [[nodiscard]] bool run(Pieces& pieces, bool rawBytes, std::string& failure) const;

private:
    struct Step {
        PreTokenizerStep what;
        std::vector<Regex> regex; // none or one
    };
    [[nodiscard]] static bool find(const Step& step, Pieces& pieces, Span piece, std::string& failure);
    [[nodiscard]] static bool split(const Step& step, Pieces& pieces, std::string& failure);
    std::vector<Step> m_steps;
    bool m_endsInBytes = false;
};

} // namespace qw::tokenizer
