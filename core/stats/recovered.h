// SPDX-License-Identifier: GPL-3.0-or-later
// What: how much of PTQ's degradation QAT won back (evaluation.md 9), or why that cannot be said.
#pragma once

#include <optional>
#include <string>

namespace qw::stats {

struct Recovered {
    std::optional<double> percent; // 100 (qat - ptq) / (reference - ptq); above 100: QAT beat the reference; below 0: worse than PTQ
    std::string reason;            // why there is no percent; or a flag beside it ("PTQ lost less than twice its standard error")
};
// stderror: of reference - ptq, when known.
[[nodiscard]] Recovered recovered(double reference, double ptq, double qat, bool higherIsBetter, std::optional<double> stderror = {});

} // namespace qw::stats
