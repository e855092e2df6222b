// SPDX-License-Identifier: GPL-3.0-or-later
// What: the two ways an engine process lives: the job of one run folder (detached, socket), or requests on standard input and output.
#pragma once

#include <filesystem>

namespace qw::engine {

struct RunOptions {
    std::filesystem::path runDir;
    std::filesystem::path jobLock; // taken for the life of the job; empty: not asked for. Held by another: exit 75
};
int runJobEngine(const RunOptions& options); // returns the exit code
int runStdioEngine();

} // namespace qw::engine
