// SPDX-License-Identifier: GPL-3.0-or-later
// What: resident memory of this process and its peak over a piece of work (Linux: /proc/self/status, clear_refs).
#pragma once

#include <cstdint>
#include <functional>

namespace qw::engine {

// What work used at its peak beyond what was resident before it, in bytes. Free pages are handed back first, so that memory left by
// earlier work does not hide its own.
[[nodiscard]] double peakBytes(const std::function<void()>& work);

} // namespace qw::engine
