// SPDX-License-Identifier: GPL-3.0-or-later
// What: bytes between two processes (or two ends in one process), never blocking unless wait() is called.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace qw::wire {

class Transport {
public:
    virtual ~Transport() = default;
    // Takes what goes without blocking and returns how much; engine.lost once the other side is gone.
    [[nodiscard]] virtual Result<size_t> write(std::string_view bytes) = 0;
    // Appends what is there and returns how much, 0 for nothing yet; engine.lost once the other side is gone and all was read.
    [[nodiscard]] virtual Result<size_t> read(std::string& into) = 0;
    // Until there is something to read, or room to write if asked; false after timeoutMs (below 0: forever).
    virtual bool wait(bool forWriting, int timeoutMs) = 0;
    [[nodiscard]] virtual int readFd() const { return -1; } // for a poll loop of the caller; -1: none
    [[nodiscard]] virtual int writeFd() const { return -1; }
};

// Two ends in memory; each direction holds up to capacity bytes.
[[nodiscard]] std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>> memoryTransportPair(size_t capacity = 1 << 16);
// Owns the descriptors (may be one and the same, a socket) and makes them non-blocking. The process must ignore SIGPIPE for pipes.
[[nodiscard]] std::unique_ptr<Transport> fdTransport(int readFd, int writeFd);

} // namespace qw::wire
