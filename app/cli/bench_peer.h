// SPDX-License-Identifier: GPL-3.0-or-later
// What: the Python side of a benchmark, kept alive between pairs: one line in, one JSON object of numbers out (tests/bench/pairs.py).
#pragma once

#include "bench.h"

#include <cstdio>
#include <sys/types.h>

namespace qw::cli {

class Peer {
public:
    // scripts/<script> with arguments. What it writes on standard error goes to a file and is quoted when it fails.
    [[nodiscard]] static Result<Peer> start(const std::string& script, const BenchOptions& options,
                                            const std::vector<std::string>& arguments);
    Peer(Peer&& other) noexcept;
    Peer& operator=(Peer&&) = delete;
    ~Peer(); // closes its input, which ends it
    // Measures once; the answer is a JSON object.
    [[nodiscard]] Result<std::string> ask();

private:
    Peer() = default;
    [[nodiscard]] Error died() const;
    std::filesystem::path m_script, m_log;
    pid_t m_pid = -1;
    FILE* m_in = nullptr;  // we write
    FILE* m_out = nullptr; // we read
};

// Standard output of a program, found in PATH; its standard error is ours.
[[nodiscard]] Result<std::string> runProgram(const std::vector<std::string>& words);

} // namespace qw::cli
