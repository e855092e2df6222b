// SPDX-License-Identifier: GPL-3.0-or-later
// What: how far quantized weights have moved: scales against the first ones, codes against those of the last look.
// Limits: drift and flips are measured on whole rows spread over the matrix, up to 65536 elements, so that the memory stays small.
#pragma once

#include "quant/fake_quant_ops.h"
#include "quant/quantizer.h"

#include <map>

namespace qw::quant {

class WeightHistory {
public:
    void start(int module, const at::Tensor& weight, const numerics::Grid& grid);
    void weightsChanged() { ++m_changes; }
    [[nodiscard]] LayerTelemetry sample(int module, const at::Tensor& weight, const numerics::Grid& grid, int64_t step);
    [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> state() const;
    void restore(const std::vector<std::pair<std::string, at::Tensor>>& state);

private:
    struct Past {
        at::Tensor firstScale; // float, of the sampled rows
        at::Tensor codes;      // int8, of the sampled rows
        int64_t step = 0;      // of the last sample
    };
    std::map<int, Past> m_past;
    int64_t m_changes = 0;
};

} // namespace qw::quant
