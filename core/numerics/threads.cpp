// SPDX-License-Identifier: GPL-3.0-or-later
#include "numerics/threads.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace qw::numerics {

namespace {

// One job at a time: every thread takes its fixed share of it, the caller takes the first.
class Pool {
public:
    explicit Pool(int count) {
        for (int i = 1; i < count; ++i) m_threads.emplace_back([this, i] { work(i); });
    }
    ~Pool() {
        {
            const std::lock_guard lock(m_mutex);
            m_stop = true;
        }
        m_wake.notify_all();
        for (std::thread& t : m_threads) t.join();
    }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    void run(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
        if (count <= 0) return;
        const auto threads = static_cast<int64_t>(m_threads.size()) + 1;
        const int64_t pieces = std::min(threads, (count + std::max<int64_t>(1, grain) - 1) / std::max<int64_t>(1, grain));
        if (pieces <= 1) return body(0, count);
        const std::lock_guard one(m_jobMutex);
        {
            const std::lock_guard lock(m_mutex);
            m_body = &body;
            m_count = count;
            m_pieces = pieces;
            m_open = static_cast<int>(m_threads.size());
            ++m_job;
        }
        m_wake.notify_all();
        share(0);
        std::unique_lock lock(m_mutex);
        m_done.wait(lock, [this] { return m_open == 0; });
    }

private:
    void share(int64_t piece) const {
        if (piece >= m_pieces) return;
        const int64_t size = (m_count + m_pieces - 1) / m_pieces, begin = piece * size, end = std::min(m_count, begin + size);
        if (begin < end) (*m_body)(begin, end);
    }
    void work(int index) {
        for (uint64_t seen = 0;;) {
            {
                std::unique_lock lock(m_mutex);
                m_wake.wait(lock, [&] { return m_stop || m_job != seen; });
                if (m_stop) return;
                seen = m_job;
            }
            share(index);
            const std::lock_guard lock(m_mutex);
            if (--m_open == 0) m_done.notify_one();
        }
    }

    std::vector<std::thread> m_threads;
    std::mutex m_mutex, m_jobMutex;
    std::condition_variable m_wake, m_done;
    const std::function<void(int64_t, int64_t)>* m_body = nullptr;
    int64_t m_count = 0, m_pieces = 0;
    uint64_t m_job = 0;
    int m_open = 0;
    bool m_stop = false;
};

} // namespace

ParallelFor threadPool(int count) {
    if (count <= 0) count = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    const auto pool = std::make_shared<Pool>(count);
    return [pool](int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& body) { pool->run(n, grain, body); };
}

} // namespace qw::numerics
