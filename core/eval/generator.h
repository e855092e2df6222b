// SPDX-License-Identifier: GPL-3.0-or-later
// What: text that continues a prompt, token by token with a key-value cache.
#pragma once

#include "base/cancel.h"
#include "base/result.h"
#include "eval/sampler.h"
#include "model/decoder.h"
#include "tokenizer/tokenizer.h"

#include <functional>
#include <string>
#include <vector>

namespace qw::eval {

struct GenerateOptions {
    Sampling sampling;
    int64_t maxNewTokens = 300;
    std::vector<int64_t> endIds;    // tokens that end the text; part of the ids, not of the text
    std::vector<std::string> stops; // texts that end it; not part of the text
    uint32_t prompt = 0;            // number of the prompt, so that equal prompts draw differently
    const CancelToken* cancel = nullptr;
};

struct Generated {
    std::vector<int32_t> ids; // new ones only
    std::string text;         // of them, as it follows the prompt's text
    std::string finish;       // eos | stop | length | cancelled
    double promptSeconds = 0, seconds = 0;
    int64_t steps = 0; // forward passes of one token, all of `seconds`
};

using OnToken = std::function<void(int32_t id, const std::string& text)>; // id -1: text that was held back, at the end

// prompt: at least one id. tokenizer null: ids only. train.nonfinite when logits hold a NaN or +inf.
[[nodiscard]] Result<Generated> generate(const model::Decoder& decoder, const tokenizer::Tokenizer* tokenizer,
                                         const std::vector<int32_t>& prompt, const GenerateOptions& options, const OnToken& onToken);

} // namespace qw::eval
