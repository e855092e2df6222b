// SPDX-License-Identifier: GPL-3.0-or-later
// What: step_overhead of performance.md 10: a QAT step of the trainer against a plain one, time and peak memory, and what telemetry costs.
#pragma once

#include "engine/benches.h"

namespace qw::engine {

[[nodiscard]] Result<records::BenchResult> benchStepOverhead(const BenchOptions& options);

} // namespace qw::engine
