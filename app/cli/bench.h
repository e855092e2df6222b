// SPDX-License-Identifier: GPL-3.0-or-later
// What: the table of benchmarks behind `qatw bench`. A bench that needs torch runs inside the engine (core/engine/benches.h).
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
    const char* summary;
    Result<records::BenchResult> (*run)(const BenchOptions&);
};
[[nodiscard]] std::span<const Bench> benches();

// Runs one of core/engine/benches.h in an engine of its own.
[[nodiscard]] Result<records::BenchResult> engineBench(const std::string& name, const BenchOptions& options);
// Runs scripts/<name>.py with the peers; its last line of output is one JSON object of numbers. engine.driver-like errors name the missing
// part.
[[nodiscard]] Result<std::string> peerScript(const std::string& name, const BenchOptions& options,
                                             const std::vector<std::string>& arguments = {});
// Standard output of a program, found in PATH; its standard error is ours.
[[nodiscard]] Result<std::string> runProgram(const std::vector<std::string>& words);

} // namespace qw::cli
