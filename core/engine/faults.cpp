// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/faults.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace qw::engine {

#ifdef QW_FAULTS

void reportFaults(const wire::Sink& emit) {
    if (const char* fault = std::getenv("QATW_FAULT")) emit(wire::LogLine{2, std::string("fault on request: ") + fault});
}

void faultAtStep(int64_t step) {
    const char* text = std::getenv("QATW_FAULT");
    if (!text) return;
    const std::string fault = text;
    const size_t at = fault.find("@step=");
    if (at == std::string::npos || std::strtoll(fault.c_str() + at + 6, nullptr, 10) != step) return;
    const std::string kind = fault.substr(0, at);
    if (kind == "segv") ::raise(SIGSEGV);
    if (kind == "abort") std::abort();
    if (kind == "hang")
        for (;;) ::pause();
    if (kind == "throw") throw std::runtime_error("fault on request");
    if (kind == "oom") throw std::bad_alloc();
    if (kind == "print") {
        std::puts("{\"a library\": \"prints to standard output\"}");
        std::fflush(stdout);
    }
}

#else

void reportFaults(const wire::Sink& emit) {
    if (std::getenv("QATW_FAULT")) emit(wire::LogLine{2, "QATW_FAULT is set and ignored: this engine has no fault hooks"});
}
void faultAtStep(int64_t) {}

#endif

} // namespace qw::engine
