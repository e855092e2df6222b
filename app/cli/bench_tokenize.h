// SPDX-License-Identifier: GPL-3.0-or-later
// What: tokenize of performance.md 10: wiki.valid line by line on one thread, byte-fallback and byte-level BPE.
#pragma once

#include "bench.h"

namespace qw::cli {

[[nodiscard]] Result<records::BenchResult> benchTokenize(const BenchOptions& options, const std::string& peerJson);

} // namespace qw::cli
