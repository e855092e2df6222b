// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/memory_plan.h"

#include <algorithm>

namespace qw::train {

std::vector<MemoryPart> memoryPlan(const records::Recipe& recipe, const checkpoint::ModelConfig& config, int64_t parameters,
                                   const quant::Plan* plan) {
    const bool fp32 = recipe.precision.mode == "fp32", master = recipe.precision.mode == "bf16_master";
    const int64_t working = fp32 ? 4 : 2;
    const int64_t moments = recipe.optim.name == "adamw" ? (recipe.optim.amsgrad ? 3 : 2) : (recipe.optim.momentum != 0 ? 1 : 0);
    const int64_t state = fp32 || master ? 4 : 2;
    const int64_t masterBytes = master ? parameters * 4 : 0;
    const bool fp32Grad = recipe.precision.gradDtype == "fp32" || (recipe.precision.gradDtype == "auto" && fp32);
    int64_t quantized = 0;
    if (plan)
        for (const auto& layer : plan->layers)
            if (layer.skipReason.empty()) quantized += layer.rows * layer.cols * working;
    const bool recompute = recipe.activationCheckpointing == "layer";
    const int64_t tokens = recipe.train.microBatch * recipe.data.seqLen;
    // Saved by one layer: about 34 bytes a token and width in bf16 (2205.05198).
    const int64_t internals = tokens * (8 * config.hidden + 4 * config.intermediate) * working;
    const bool copies = recipe.checkpoint.async && recipe.checkpoint.every > 0;
    return {{"weights", parameters * working, false},
            {"master weights", masterBytes, false},
            {"optimizer state", parameters * moments * state, false},
            {"gradients", parameters * (fp32Grad ? 4 : working), false},
            {"fake-quantized weights", quantized, false},
            {"layer inputs", recompute ? config.layers * tokens * config.hidden * working : 0, false},
            {"activations", recompute ? internals : internals * config.layers, false},
            {"loss chunk", std::min<int64_t>(tokens, 1024) * config.vocab * 4 * 2, false},
            {"checkpoint copy", copies ? parameters * (working + moments * state) + masterBytes : 0, true}};
}

} // namespace qw::train
