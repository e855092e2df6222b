// SPDX-License-Identifier: GPL-3.0-or-later
#include "stats/recovered.h"

#include <cmath>

namespace qw::stats {

Recovered recovered(double reference, double ptq, double qat, bool higherIsBetter, std::optional<double> stderror) {
    if (!std::isfinite(reference) || !std::isfinite(ptq) || !std::isfinite(qat)) return {std::nullopt, "a value is missing"};
    const double lost = reference - ptq;
    if (lost == 0) return {std::nullopt, "PTQ lost nothing"};
    if ((lost > 0) != higherIsBetter) return {std::nullopt, "PTQ is better than the reference"};
    Recovered out{100 * (qat - ptq) / lost, {}};
    if (stderror && std::abs(lost) < 2 * *stderror) out.reason = "PTQ lost less than twice its standard error";
    return out;
}

} // namespace qw::stats
