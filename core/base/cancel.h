// SPDX-License-Identifier: GPL-3.0-or-later
// What: the token a long job polls. Levels only rise, except that pause can be taken back.
#pragma once

#include <atomic>
#include <cstdint>

namespace qw {

enum class CancelLevel : uint8_t { None, Pause, StopAtStep, StopWithCheckpoint, Now };

class CancelToken {
public:
    void raise(CancelLevel level) {
        CancelLevel seen = m_level.load();
        while (seen < level && !m_level.compare_exchange_weak(seen, level)) {
        }
    }
    void resume() {
        CancelLevel pause = CancelLevel::Pause;
        m_level.compare_exchange_strong(pause, CancelLevel::None);
    }
    [[nodiscard]] CancelLevel level() const { return m_level.load(std::memory_order_relaxed); }
    [[nodiscard]] bool now() const { return level() == CancelLevel::Now; }

private:
    std::atomic<CancelLevel> m_level{CancelLevel::None};
};

} // namespace qw
