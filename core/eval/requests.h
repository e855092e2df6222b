// SPDX-License-Identifier: GPL-3.0-or-later
// What: task text to token requests, as lm-evaluation-harness encodes them (evaluation.md 2, 6): pairs, rolling windows, truncation.
// Limits: knows no model; lengths and ids come in as numbers.
#pragma once

#include "base/parallel.h"
#include "base/result.h"
#include "tasks/tasks.h"
#include "tokenizer/tokenizer.h"

#include <cstdint>
#include <string>
#include <vector>

namespace qw::eval {

using Ids = std::vector<int32_t>;

// What decides the ids, resolved.
struct EncodeRules {
    std::string bos = "auto"; // auto | on | off
    int32_t prefix = 0;       // what a rolling window or an empty context begins with
    int64_t maxLength = 2048; // L
};

// encode() under a BOS policy; a text that begins with the prefix token gets no second one.
class Encoder {
public:
    Encoder(const tokenizer::Tokenizer& tokenizer, EncodeRules rules);
    [[nodiscard]] Ids operator()(std::string_view text) const;
    [[nodiscard]] Ids withoutSpecials(std::string_view text) const;
    [[nodiscard]] const EncodeRules& rules() const { return m_rules; }
    [[nodiscard]] bool addsBos() const; // effectively, in front of ordinary text

private:
    const tokenizer::Tokenizer& m_tokenizer;
    EncodeRules m_rules;
    std::string m_prefixText;
    bool m_force = false; // bos: on, and the tokenizer's own template has none
};

// One scored row: after input[i] comes targets[i - (input.size() - targets.size())].
struct Request {
    int64_t item = 0, part = 0; // part: choice or window
    Ids input, targets;
};
// The choices of one row behind their common context.
struct SharedRequest {
    int64_t item = 0;
    Ids context;
    std::vector<Ids> endings;
};

struct Work {
    std::vector<Request> single;
    std::vector<SharedRequest> shared;
    std::vector<int64_t> parts;  // per item: choices or windows
    std::vector<int64_t> tokens; // per item: scored tokens
    int64_t truncated = 0;       // requests that lost tokens on the left
};

// shared: keep the choices of a row together where none is truncated. Errors name the row.
[[nodiscard]] Result<Work> choiceWork(const Encoder& encoder, const std::vector<tasks::ChoiceRow>& rows, bool shared,
                                      const ParallelFor& parallel);
[[nodiscard]] Work rollingWork(const Encoder& encoder, const std::vector<tasks::Document>& documents, const ParallelFor& parallel);

// Exposed for tests: the windows of one token list.
[[nodiscard]] std::vector<Request> rollingWindows(const Ids& tokens, int32_t prefix, int64_t maxLength);

} // namespace qw::eval
