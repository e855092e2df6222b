// SPDX-License-Identifier: GPL-3.0-or-later
// What: loss_mem of performance.md 10: the chunked linear and cross-entropy beside F.cross_entropy on full logits, in one process.
#pragma once

#include "engine/benches.h"

namespace qw::engine {

[[nodiscard]] Result<records::BenchResult> benchLossMem(const BenchOptions& options);

} // namespace qw::engine
