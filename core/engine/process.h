// SPDX-License-Identifier: GPL-3.0-or-later
// What: turns a freshly started program into an engine process: descriptors, signals, limits, library output.
#pragma once

#include "base/result.h"

#include <csignal>
#include <filesystem>
#include <functional>
#include <string>

namespace qw::engine {

// The protocol on a private copy of fd 1; fd 1 itself goes where fd 2 goes, because libraries print.
[[nodiscard]] Result<int> takeProtocolDescriptor();
// fd 1 and fd 2 append to logs/engine.stderr below runDir.
[[nodiscard]] Status redirectOutputTo(const std::filesystem::path& file);

// Blocks the signals that the control thread reads and returns the descriptor to read them from: SIGTERM, SIGINT, SIGUSR1, SIGQUIT.
// SIGPIPE and, when detached, SIGHUP are ignored. Call before any other thread exists: they inherit the mask.
[[nodiscard]] Result<int> openSignals(bool detached);
void dieWithParent();              // PR_SET_PDEATHSIG
void volunteerForOomKill();        // oom_score_adj +300, so that the window survives
[[nodiscard]] int physicalCores(); // that this process may run on, cgroup quota included
[[nodiscard]] int64_t residentBytes();
[[nodiscard]] std::string hostName();

// Follows the file that fd 1 and 2 append to: hands over whole new lines; past 8 MB the older half is dropped.
class OutputTail {
public:
    explicit OutputTail(std::filesystem::path file);
    ~OutputTail();
    OutputTail(const OutputTail&) = delete;
    OutputTail& operator=(const OutputTail&) = delete;
    void poll(const std::function<void(std::string line)>& take);

private:
    void shrink();
    std::filesystem::path m_file;
    int m_fd = -1;
    int64_t m_offset = 0;
    std::string m_partial;
};

} // namespace qw::engine
