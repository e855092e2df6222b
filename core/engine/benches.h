// SPDX-License-Identifier: GPL-3.0-or-later
// What: the table of benchmarks that need torch; `qatw bench NAME` runs one in an engine of its own (app/cli/bench.h).
#pragma once

#include "base/result.h"
#include "records/bench.h"

#include <filesystem>
#include <span>
#include <string>

namespace qw::engine {

struct BenchOptions {
    std::filesystem::path data, scratch; // reference data (may be empty), an empty folder
    int threads = 2;
    bool quick = false;
    std::string peers = "{}"; // JSON object that tests/bench/<name>.py printed: what the peer measured just before; {} when there is none
};
struct Bench {
    const char* name;
    Result<records::BenchResult> (*run)(const BenchOptions&);
};
[[nodiscard]] std::span<const Bench> benches();

// {name, data, scratch, threads, quick, peers} -> the BenchResult as JSON.
[[nodiscard]] Result<std::string> benchTask(const std::string& params);

} // namespace qw::engine
