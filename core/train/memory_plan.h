// SPDX-License-Identifier: GPL-3.0-or-later
// What: the memory a training run needs, by component (performance.md 5), from sizes alone.
// Why here: `plan` shows it before a run, and a run that did not fit shows the same table.
#pragma once

#include "checkpoint/model_config.h"
#include "quant/quantizer.h"
#include "records/recipe.h"

#include <cstdint>
#include <string>
#include <vector>

namespace qw::train {

struct MemoryPart {
    std::string name;
    int64_t bytes = 0;
    bool onHost = false; // not on the device, where that is another one
};
// plan: null without a scheme.
[[nodiscard]] std::vector<MemoryPart> memoryPlan(const records::Recipe& recipe, const checkpoint::ModelConfig& config, int64_t parameters,
                                                 const quant::Plan* plan);

} // namespace qw::train
