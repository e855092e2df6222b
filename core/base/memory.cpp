// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/memory.h"

#include <fstream>
#include <string>
#include <unistd.h>

namespace qw {

uint64_t availableMemory() {
    std::ifstream in("/proc/meminfo");
    for (std::string word; in >> word;)
        if (uint64_t kib = 0; word == "MemAvailable:" && in >> kib) return kib * 1024;
    const long pages = ::sysconf(_SC_AVPHYS_PAGES), size = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(size) : 0;
}

} // namespace qw
