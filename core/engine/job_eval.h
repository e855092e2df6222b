// SPDX-License-Identifier: GPL-3.0-or-later
// What: scores a decoder on the recipe's tasks and on data.eval, writes the items and announces each result (evaluation.md).
#pragma once

#include "data/batches.h"
#include "engine/job_support.h"

namespace qw::engine {

struct EvalPlan {
    std::string variant;                        // float | fake_quant | ptq | quantized
    records::DType dtype = records::DType::F32; // of the forward pass
    std::string scheme;                         // into the settings; empty without one
    bool rowByRow = false;                      // a quantized folder's own scheme needs it
};

// Results that the journal already has are left out. engine.cancelled when a stop was asked for.
[[nodiscard]] Status evaluateAll(JobInput& input, const model::Decoder& decoder, const tokenizer::Tokenizer& tokenizer,
                                 const EvalPlan& plan, const data::Dataset* lossData);
[[nodiscard]] bool evaluationMissing(const JobInput& input, const std::string& variant);

} // namespace qw::engine
