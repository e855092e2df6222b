// SPDX-License-Identifier: GPL-3.0-or-later
// What: AdamW and SGD over a decoder's parameters: groups, freezing, fp32 masters, gradient norm and clipping (training.md 4, 6).
// Why here: masters, moments and the bf16 working copy are updated in one pass over memory; on CUDA the same formulas run as ATen
// operations. Limits: results do not depend on the number of threads.
#pragma once

#include "base/result.h"
#include "model/decoder.h"
#include "records/recipe.h"

#include <functional>
#include <string>
#include <vector>

namespace qw::train {

// One trainable tensor and what belongs to it. Undefined tensors are not used by this optimizer or mode.
struct Slot {
    std::string name;
    int layer = -1;
    at::Tensor param;                // the leaf that forward uses
    at::Tensor master;               // fp32 (bf16_master)
    at::Tensor gradSum;              // fp32 gradient over micro-batches (grad_dtype: fp32 with a bf16 working copy)
    at::Tensor first, second, third; // adamw: m, v, largest v; sgd: momentum buffer in first
    double weightDecay = 0, lrScale = 1;
};

struct GradNorm {
    double norm = 0;
    bool finite = true;
};

class Optimizer {
public:
    // Fills an fp32 master of the named parameter; false leaves the widened working copy.
    using MasterReader = std::function<bool(const std::string& name, at::Tensor& master)>;

    // Sets requires_grad on the decoder's parameters. config.invalid for unknown names and bad patterns, or when nothing is left to train.
    [[nodiscard]] static Result<Optimizer> create(const records::OptimBlock& optim, const records::PrecisionBlock& precision,
                                                  std::vector<model::Parameter>& parameters, const MasterReader& readMaster = {});

    [[nodiscard]] std::vector<Slot>& slots() { return m_slots; }
    [[nodiscard]] const std::vector<Slot>& slots() const { return m_slots; }
    [[nodiscard]] const std::vector<std::string>& frozen() const { return m_frozen; }

    void clearGradients();
    void collectMicroBatch(); // after each backward: moves gradients into their fp32 sums where the mode wants it
    // L2 norm over all gradients, fp64 over fp32 partial sums in fixed order.
    [[nodiscard]] GradNorm norm() const;
    // The update number `updates` + 1 with gradients times gradScale.
    void update(int64_t updates, double lr, double gradScale);
    // (suffix, tensor) of a slot's state, in a fixed order: exp_avg, exp_avg_sq, max_exp_avg_sq, momentum_buffer, master.
    [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> state(const Slot& slot) const;

private:
    void updateHost(Slot& slot, int64_t updates, double lr, double gradScale) const;
    void updateDevice(Slot& slot, int64_t updates, double lr, double gradScale) const;
    [[nodiscard]] at::Tensor gradient(const Slot& slot) const;

    records::OptimBlock m_optim;
    std::vector<Slot> m_slots;
    std::vector<std::string> m_frozen;
};

// c = min(1, clip / (norm + 1e-6)); 1 when there is no bound.
[[nodiscard]] double clipCoefficient(std::optional<double> clipNorm, double norm);

} // namespace qw::train
