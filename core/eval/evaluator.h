// SPDX-License-Identifier: GPL-3.0-or-later
// What: tasks scored by a decoder exactly as lm-evaluation-harness scores them (evaluation.md): requests, shared context, rolling windows.
#pragma once

#include "base/cancel.h"
#include "model/decoder.h"
#include "records/recipe.h"
#include "records/run.h"
#include "tasks/tasks.h"
#include "tokenizer/tokenizer.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace qw::eval {

struct Settings {
    std::string bos = "auto";        // auto | on | off
    int64_t maxLength = 0;           // 0: from the config (evaluation.md 1)
    int64_t batchTokens = 0;         // token budget of a forward pass, padding included; 0: 2048 on CPU, 32768 on CUDA
    bool sharedContext = true;       // off: one request at a time per row, for comparison
    bool rowByRow = false;           // one unpadded row at a time: where results would depend on batch mates (needsRowByRow)
    std::optional<int32_t> prefixId; // override
};
// Dynamic activation ranges over a whole tensor make a row's result depend on its batch (evaluation.md 8).
[[nodiscard]] bool needsRowByRow(const records::QatBlock& scheme);
[[nodiscard]] Settings settingsFrom(const records::EvalBlock& block);

struct Scored {
    records::EvalResult result; // metrics, n, settings, digests filled; uid, itemsPath, variant left to the caller
    std::vector<records::EvalItem> items;
};

// The decoder is used as it is, with its hook; gradients are not recorded. engine.cancelled when cancel is raised to Now;
// data.unreadable naming the row for an empty or too long continuation; train.nonfinite for a non-finite score.
[[nodiscard]] Result<Scored> score(const model::Decoder& decoder, const tokenizer::Tokenizer& tokenizer, const tasks::TaskData& task,
                                   const Settings& settings, const CancelToken* cancel,
                                   const std::function<void(int64_t done, int64_t total)>& progress);

} // namespace qw::eval
