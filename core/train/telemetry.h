// SPDX-License-Identifier: GPL-3.0-or-later
// What: the measured streams of a training run (training.md 15): step metrics, memory, statistics of one layer at a time.
// Why here: measures its own cost and halves the cadence of layer statistics when that exceeds 1 % of the time.
// Limits: nothing here changes a number of the run.
#pragma once

#include "train/optimizer.h"
#include "train/trainer.h"

#include <array>

namespace qw::train {

enum class Phase : uint8_t { Data, Forward, Backward, Optimizer, Telemetry };

// Adds the time of its scope to a phase.
class PhaseClock {
public:
    class Scope {
    public:
        Scope(int64_t& sum);
        ~Scope();
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

    private:
        int64_t& m_sum;
        int64_t m_start;
    };
    [[nodiscard]] Scope in(Phase phase) { return Scope(m_ns[static_cast<size_t>(phase)]); }
    [[nodiscard]] int64_t ns(Phase phase) const { return m_ns[static_cast<size_t>(phase)]; }
    void reset() { m_ns.fill(0); }

private:
    std::array<int64_t, 5> m_ns{};
};

struct StepFacts {
    int64_t step = 0; // completed
    double loss = 0, lr = 0, epoch = 0;
    std::optional<double> gradNorm, clip;
    int64_t tokens = 0, labels = 0;
    int64_t totalNs = 0;
};

class Telemetry {
public:
    Telemetry(const Job& job, Optimizer& optimizer);
    PhaseClock& clock() { return m_clock; }
    void setCadences(int64_t logEvery, int64_t layerEvery); // a new layerEvery also undoes throttling
    void beforeUpdate(int64_t step);                        // step: the one that the update completes
    void afterUpdate(int64_t step);
    void stepDone(const StepFacts& facts); // emits and resets the clock

private:
    [[nodiscard]] bool layerTurn(int64_t step) const;
    [[nodiscard]] int layerAt(int64_t step) const { return m_layers[static_cast<size_t>(step / m_layerEvery) % m_layers.size()]; }
    void sampleLayer(int64_t step);
    void watchUnderflow();
    void addMemory(wire::Metrics& metrics);
    void throttle(int64_t step, int64_t totalNs);

    const Job& m_job;
    Optimizer& m_optimizer;
    PhaseClock m_clock;
    int64_t m_logEvery, m_layerWanted, m_layerEvery;          // wanted: before throttling
    std::vector<int> m_layers;                                // round robin
    std::vector<std::pair<const Slot*, at::Tensor>> m_before; // weights of the layer whose turn it is
    at::Tensor m_sampled;                                     // bf16_pure: 2^16 weights before the update
    bool m_underflowTold = false;
    int64_t m_lastMemoryNs = 0, m_spentNs = 0, m_windowNs = 0, m_windowSteps = 0;
};

} // namespace qw::train
