// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/bench_memory.h"

#include <cstdlib>
#include <fstream>
#include <malloc.h>
#include <string>

namespace qw::engine {
namespace {

double status(const char* key) {
    std::ifstream in("/proc/self/status");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(key)) return std::strtod(line.c_str() + std::char_traits<char>::length(key), nullptr) * 1024;
    return 0;
}

} // namespace

double peakBytes(const std::function<void()>& work) {
    ::malloc_trim(0);
    const double before = status("VmRSS:");
    std::ofstream("/proc/self/clear_refs") << '5'; // a new peak begins (proc(5))
    work();
    return status("VmHWM:") - before;
}

} // namespace qw::engine
