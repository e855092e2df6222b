// SPDX-License-Identifier: GPL-3.0-or-later
// What: the facts about a model folder that `qatw inspect`, the engine and the model page show, also for folders that can only be shown.
#pragma once

#include "checkpoint/checkpoint.h"

namespace qw::checkpoint {

struct InspectedTensor {
    std::string name, dtype, shard;
    std::vector<int64_t> shape;
    uint64_t bytes = 0;
    int64_t nan = 0, inf = 0; // filled by a scan
};

struct Inspection {
    ModelConfig config;
    std::string quantMethod; // of another program's quantized weights; empty when usable as MODEL
    bool tied = false, quantized = false, scanned = false;
    std::string format; // as Checkpoint has it
    std::string dtype;  // "float32" …
    uint64_t bytes = 0;
    int64_t parameters = 0, embedding = 0, head = 0, linear = 0, other = 0;
    struct Shard {
        std::string file;
        uint64_t bytes = 0;
        size_t tensors = 0;
    };
    std::vector<Shard> shards;
    std::vector<InspectedTensor> tensors;
    std::vector<QuantizedModule> modules;
    std::vector<std::pair<std::string, std::string>> skipped;
    std::string schemes;      // JSON array; quantized only
    double bitsPerWeight = 0; // quantized only: over all matrices aimed at, skipped ones at their own width
    std::vector<Problem> problems;
};
// scan: counts NaN and Inf per tensor, which reads every byte.
[[nodiscard]] Result<Inspection> inspectFolder(const std::filesystem::path& dir, bool scan);

} // namespace qw::checkpoint
