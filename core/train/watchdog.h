// SPDX-License-Identifier: GPL-3.0-or-later
// What: tells a diverging run by its training loss (engine.md 7).
// Limits: loss_above looks at every step; the median rule looks at means of ten steps, so that one hard batch is not a divergence.
#pragma once

#include "records/recipe.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qw::train {

// What a checkpoint keeps of it.
struct WatchdogState {
    int64_t above = 0, overMedian = 0; // consecutive findings
    std::vector<double> block;         // losses of the block of ten that is being filled
    std::vector<double> means;         // of the last blocks, oldest first
};

class DivergenceWatch {
public:
    DivergenceWatch(const records::Watchdog& rules, WatchdogState& state) : m_rules(rules), m_state(state) {}
    // The reason to stop, or nothing.
    [[nodiscard]] std::optional<std::string> see(double loss);
    // Fake quantization was switched: losses before and after do not compare.
    void restart();

private:
    const records::Watchdog& m_rules;
    WatchdogState& m_state;
};

} // namespace qw::train
