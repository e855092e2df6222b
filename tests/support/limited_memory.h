// SPDX-License-Identifier: GPL-3.0-or-later
// What: LibTorch's allocator for the CPU with a count and a limit, so that a test can see what an operation holds and let it run out.
#pragma once

#include <algorithm>
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>

namespace qw::test {

// Counts what is alive and refuses what goes beyond the limit. One for the process: memory is freed through a plain function.
class LimitedMemory final : public c10::Allocator {
public:
    static constexpr size_t kHead = 64; // keeps the alignment; holds the size
    static inline int64_t live = 0, peak = 0, limit = std::numeric_limits<int64_t>::max();
    static inline int64_t refused = 0, failOnce = -1; // failOnce: the allocation to refuse, counting down

    c10::DataPtr allocate(size_t size) override {
        const auto bytes = static_cast<int64_t>(size);
        if (live + bytes > limit || (failOnce >= 0 && failOnce-- == 0)) {
            ++refused;
            throw std::bad_alloc();
        }
        auto* base = static_cast<char*>(std::aligned_alloc(kHead, (size + 2 * kHead - 1) / kHead * kHead));
        *reinterpret_cast<int64_t*>(base) = bytes;
        live += bytes;
        peak = std::max(peak, live);
        return {base + kHead, base, &release, c10::Device(c10::kCPU)};
    }
    void copy_data(void* to, const void* from, size_t size) const override { default_copy_data(to, from, size); }
    static void forgetPeak() { peak = live; }

private:
    static void release(void* base) {
        live -= *static_cast<int64_t*>(base);
        std::free(base);
    }
};
} // namespace qw::test
