// SPDX-License-Identifier: GPL-3.0-or-later
// What: log-likelihoods of token requests by a decoder: batches by length, contexts shared, the head only where a token is scored.
#pragma once

#include "base/cancel.h"
#include "eval/requests.h"
#include "model/decoder.h"

#include <functional>
#include <vector>

namespace qw::eval {

struct BatchRules {
    int64_t tokens = 8192; // of one forward pass, padding included
    bool rowByRow = false; // one unpadded row at a time
    const CancelToken* cancel = nullptr;
};

// ll of every part of every item, natural log, summed in double.
using Likelihoods = std::vector<std::vector<double>>;
// part: called as each request is done, with its item and how many of its parts.
[[nodiscard]] Likelihoods scoreWork(const model::Decoder& decoder, const Work& work, const BatchRules& rules,
                                    const std::function<void(int64_t item, int64_t parts)>& done);

} // namespace qw::eval
