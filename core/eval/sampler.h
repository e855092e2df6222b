// SPDX-License-Identifier: GPL-3.0-or-later
// What: the next token from logits: greedy, or drawn after temperature, top-k and top-p, in this order and with the rules of
// transformers' logits processors (generation/logits_process.py), so that their distribution is ours.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qw::eval {

struct Sampling {
    double temperature = 0; // 0: greedy, everything below is unused
    int64_t topK = 300;     // 0: all tokens
    double topP = 1;        // smallest set of most probable tokens whose mass reaches it
    uint64_t seed = 42;     // of Philox, stream Sampling; substream: the prompt, index: the token
};

struct Candidate {
    int32_t id = 0;
    double probability = 0;
};

// Most probable first, equal logits by id; probabilities sum to 1.
[[nodiscard]] std::vector<Candidate> candidates(std::span<const float> logits, const Sampling& sampling);
// The token-th new token of prompt number `prompt`: a pure function of its arguments. Logits are finite or -inf, not all -inf.
[[nodiscard]] int32_t nextToken(std::span<const float> logits, const Sampling& sampling, uint32_t prompt, uint64_t token);

} // namespace qw::eval
