// SPDX-License-Identifier: GPL-3.0-or-later
// What: the parallel-for that a caller passes into torch-free kernels: the engine hands in at::parallel_for, others a thread pool or
// nothing.
#pragma once

#include <cstdint>
#include <functional>

namespace qw {

// Calls body(begin, end) over [0, count) in pieces of at least grain; returns when all are done.
using ParallelFor = std::function<void(int64_t count, int64_t grain, const std::function<void(int64_t begin, int64_t end)>& body)>;

[[nodiscard]] inline ParallelFor serial() {
    return [](int64_t count, int64_t, const std::function<void(int64_t, int64_t)>& body) {
        if (count > 0) body(0, count);
    };
}

} // namespace qw
