// SPDX-License-Identifier: GPL-3.0-or-later
// What: what people see on standard error while an engine works: one line that changes on a terminal, plain lines elsewhere.
#pragma once

#include "drive/run_driver.h"

#include <cstdint>
#include <string>

namespace qw::cli {

class Progress {
public:
    // quiet: notes and warnings only. lineMs: between two lines of progress where there is no terminal.
    explicit Progress(bool quiet = false, int64_t lineMs = 5000);
    void event(const wire::Event& event);
    void note(const std::string& text); // a line that stays
    void heading(const std::string& text) { m_heading = text; }
    void clear();                       // before something else is printed
    [[nodiscard]] drive::Watch watch(); // events and notes here; Ctrl+C asks for a checkpoint and a stop

private:
    void show(const std::string& text, bool always);
    int64_t m_lineMs;
    bool m_quiet, m_terminal;
    size_t m_width = 0;
    int64_t m_lastNs = 0;
    std::string m_heading, m_last;
};

void watchInterrupts();                    // SIGINT and SIGTERM are counted from now on; SIGPIPE is ignored
[[nodiscard]] drive::Wish interruptWish(); // first: Stop, second: StopNow, third: Leave
[[nodiscard]] int interruptExitCode();     // 128 + the signal; 0 when there was none

} // namespace qw::cli
