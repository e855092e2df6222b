// SPDX-License-Identifier: GPL-3.0-or-later
// What: where a decoder's weights come from: a checkpoint, or a seed.
#pragma once

#include "model/decoder.h"

namespace qw::model {

struct Loaded {
    checkpoint::ModelConfig config;
    bool tied = false;
    at::ScalarType type = at::kFloat;
    at::Device device = at::kCPU;
    std::vector<Parameter> parameters; // in the order of checkpoint::expectedTensors
};

[[nodiscard]] Result<Loaded> loadWeights(const checkpoint::Checkpoint& from, at::ScalarType type, at::Device device);
[[nodiscard]] Loaded randomWeights(const checkpoint::ModelConfig& config, bool tied, uint64_t seed, at::ScalarType type, at::Device device);

[[nodiscard]] records::DType toRecord(at::ScalarType type); // Float, BFloat16, Half
[[nodiscard]] at::ScalarType toTorch(records::DType type);

} // namespace qw::model
