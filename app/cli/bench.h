// SPDX-License-Identifier: GPL-3.0-or-later
// What: the table of benchmarks behind `qatw bench`. A bench that needs torch runs inside the engine (core/engine/benches.h).
// Why here: a bench measures once; pairs of peer and ours, their medians and the verdict are made in one place (runBench).
#pragma once

#include "base/result.h"
#include "records/bench.h"

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace qw::cli {

struct BenchOptions {
    std::filesystem::path python;  // interpreter with the peers; empty: not at hand
    std::filesystem::path scripts; // tests/bench of the checkout; empty: not at hand
    std::filesystem::path data;    // reference data; empty: not at hand
    std::filesystem::path scratch; // an empty folder, removed afterwards
    int threads = 2;
    bool quick = false; // smallest sizes: does it run at all
};

struct Bench {
    const char* name;
    int pairs;
    const char* summary;
    const char* script;                                                                     // of the peer, in tests/bench; null: no peer
    const char* kind;                                                                       // its first argument; null: none
    Result<records::BenchResult> (*once)(const BenchOptions&, const std::string& peerJson); // {} without a peer
};
[[nodiscard]] std::span<const Bench> benches();

// Pairs of the peer's measurement and ours, one after the other; medians of all figures with their range; a gate is
// met by medians.
[[nodiscard]] Result<records::BenchResult> runBench(const Bench& bench, const BenchOptions& options);

} // namespace qw::cli
