// SPDX-License-Identifier: GPL-3.0-or-later
// What: what one benchmark measured, with its gate and its peer, as the tool prints it and the engine sends it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace qw::records {

struct BenchFigure {
    std::string name;                          // e.g. "fp32 g32 fused"
    double value = 0;                          // of several measurements the median
    std::string unit;                          // ms, GB/s, x, MB …
    std::optional<double> low = {}, high = {}; // smallest and largest of several measurements
};

struct BenchResult {
    std::string name; // fq_w_fwd …
    std::vector<BenchFigure> figures;
    std::string gate;        // performance.md 10 in words, e.g. "ratio to torchao <= 0.5"
    std::optional<bool> met; // nothing: the gate could not be judged here, `note` says why
    std::string peer;        // what was measured beside it in the same run: "torchao 0.18.0", "memory copy" …
    std::string note;
};

} // namespace qw::records
