// SPDX-License-Identifier: GPL-3.0-or-later
#include "background.h"

#include <csignal>
#include <fcntl.h>
#include <iostream>
#include <unistd.h>

namespace qw::cli {

Result<pid_t> goOnInBackground(const std::filesystem::path& log, const std::function<int()>& work) {
    const pid_t child = ::fork();
    if (child < 0) return Error{"engine.internal", "no process can be started", "", "", true};
    if (child > 0) return child;
    ::setsid();
    ::signal(SIGHUP, SIG_IGN);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(null, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    const int code = work();
    std::cout << std::flush;
    ::_exit(code);
}

} // namespace qw::cli
