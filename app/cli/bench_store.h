// SPDX-License-Identifier: GPL-3.0-or-later
// What: store_ingest of performance.md 10: a million points of 20 series from an event log into the store and back.
#pragma once

#include "bench.h"

namespace qw::cli {

[[nodiscard]] Result<records::BenchResult> benchStoreIngest(const BenchOptions& options, const std::string& peerJson);

} // namespace qw::cli
