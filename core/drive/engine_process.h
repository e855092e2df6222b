// SPDX-License-Identifier: GPL-3.0-or-later
// What: starts engine processes: detached for a run folder, or tied to us on standard input and output.
#pragma once

#include "base/result.h"
#include "wire/run_folder.h"

#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

namespace qw::drive {

// A child that may outlive us. Copies none; forgetting it leaves the process alone.
class EngineProcess {
public:
    // In a session of its own; its output goes to logs/engine.stderr of the run. It takes jobLock itself, unless that is empty.
    [[nodiscard]] static Result<EngineProcess> startRun(const std::filesystem::path& engine, const wire::RunFolder& folder,
                                                        const std::filesystem::path& jobLock);
    // Its ends of two pipes; its standard error is kept in memory.
    struct Stdio;
    [[nodiscard]] static Result<Stdio> startStdio(const std::filesystem::path& engine);

    [[nodiscard]] pid_t pid() const { return m_pid; }
    [[nodiscard]] bool ended();                                          // reaps it
    [[nodiscard]] std::optional<int> exitCode() const { return m_code; } // 128 + signal when it died of one
    void kill(int signal) const;

private:
    explicit EngineProcess(pid_t pid) : m_pid(pid) {}
    pid_t m_pid = -1;
    std::optional<int> m_code;
};

struct EngineProcess::Stdio {
    EngineProcess process;
    int toEngine = -1, fromEngine = -1, errors = -1;
    [[nodiscard]] std::string errorText() const; // its last 4 KiB
};

} // namespace qw::drive
