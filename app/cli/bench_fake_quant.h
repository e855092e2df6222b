// SPDX-License-Identifier: GPL-3.0-or-later
// What: the fake-quantization benchmarks of performance.md 10: weights forward, weights forward and backward, activations.
#pragma once

#include "bench.h"

namespace qw::cli {

[[nodiscard]] Result<records::BenchResult> benchFqWFwd(const BenchOptions& options, const std::string& peerJson);
[[nodiscard]] Result<records::BenchResult> benchFqWFwdBwd(const BenchOptions& options, const std::string& peerJson);
[[nodiscard]] Result<records::BenchResult> benchFqAct(const BenchOptions& options, const std::string& peerJson);

} // namespace qw::cli
