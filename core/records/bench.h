// SPDX-License-Identifier: GPL-3.0-or-later
// What: what one benchmark measured, with its gate and its peer, as the tool prints it and the engine sends it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace qw::records {

struct BenchFigure {
    std::string name;                            // e.g. "fp32 g32 fused"
    double value = 0;                            // of several measurements the median
    std::string unit;                            // ms, GB/s, x, MB …
    std::optional<double> least = {}, most = {}; // the gate of this figure
    std::optional<double> low = {}, high = {};   // smallest and largest of several measurements
};

struct BenchResult {
    std::string name; // fq_w_fwd …
    std::vector<BenchFigure> figures;
    std::string gate; // performance.md 10 in words, e.g. "ratio to torchao <= 0.5"
    // Nothing: the gate could not be judged here, `note` says why. A single measurement says false when its results are wrong, else
    // nothing.
    std::optional<bool> met;
    std::string peer; // what was measured beside it in the same run: "torchao 0.18.0", "memory copy" …
    std::string note;
};

} // namespace qw::records
