// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/transport.h"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <poll.h>
#include <unistd.h>

namespace qw::wire {
namespace {

Error lost(const std::string& why) { return {"engine.lost", "the other side of the connection is gone: " + why, {}, {}, true}; }

// One direction of a pair.
struct Pipe {
    std::string bytes;
    bool closed = false;
};
struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    Pipe pipes[2];
    size_t capacity = 0;
};

class MemoryTransport final : public Transport {
public:
    MemoryTransport(std::shared_ptr<Shared> shared, int out) : m_shared(std::move(shared)), m_out(out) {}
    ~MemoryTransport() override {
        const std::lock_guard lock(m_shared->mutex);
        for (Pipe& pipe : m_shared->pipes) pipe.closed = true;
        m_shared->changed.notify_all();
    }
    Result<size_t> write(std::string_view bytes) override {
        const std::lock_guard lock(m_shared->mutex);
        Pipe& pipe = m_shared->pipes[m_out];
        if (pipe.closed) return lost("closed");
        const size_t n = std::min(bytes.size(), m_shared->capacity - pipe.bytes.size());
        pipe.bytes.append(bytes.substr(0, n));
        m_shared->changed.notify_all();
        return n;
    }
    Result<size_t> read(std::string& into) override {
        const std::lock_guard lock(m_shared->mutex);
        Pipe& pipe = m_shared->pipes[1 - m_out];
        const size_t n = pipe.bytes.size();
        if (n == 0 && pipe.closed) return lost("closed");
        into += pipe.bytes;
        pipe.bytes.clear();
        m_shared->changed.notify_all();
        return n;
    }
    bool wait(bool forWriting, int timeoutMs) override {
        std::unique_lock lock(m_shared->mutex);
        const auto ready = [&] {
            const Pipe& in = m_shared->pipes[1 - m_out];
            const Pipe& out = m_shared->pipes[m_out];
            return !in.bytes.empty() || in.closed || (forWriting && out.bytes.size() < m_shared->capacity);
        };
        if (timeoutMs < 0) {
            m_shared->changed.wait(lock, ready);
            return true;
        }
        return m_shared->changed.wait_for(lock, std::chrono::milliseconds(timeoutMs), ready);
    }

private:
    std::shared_ptr<Shared> m_shared;
    int m_out;
};

class FdTransport final : public Transport {
public:
    FdTransport(int readFd, int writeFd) : m_read(readFd), m_write(writeFd) {
        for (const int fd : {readFd, writeFd}) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    ~FdTransport() override {
        ::close(m_read);
        if (m_write != m_read) ::close(m_write);
    }
    Result<size_t> write(std::string_view bytes) override {
        size_t done = 0;
        while (done < bytes.size()) {
            const ssize_t n = ::write(m_write, bytes.data() + done, bytes.size() - done);
            if (n > 0)
                done += static_cast<size_t>(n);
            else if (n < 0 && errno == EINTR)
                continue;
            else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
                break;
            else
                return lost(std::strerror(errno));
        }
        return done;
    }
    Result<size_t> read(std::string& into) override {
        size_t done = 0;
        char buffer[1 << 14];
        for (;;) {
            const ssize_t n = ::read(m_read, buffer, sizeof buffer);
            if (n > 0) {
                into.append(buffer, static_cast<size_t>(n));
                done += static_cast<size_t>(n);
                if (done >= (1 << 20)) return done; // let the caller work on it
            } else if (n < 0 && errno == EINTR)
                continue;
            else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
                return done;
            else if (done > 0)
                return done; // the end is reported by the next call
            else
                return lost(n == 0 ? "closed" : std::strerror(errno));
        }
    }
    bool wait(bool forWriting, int timeoutMs) override {
        pollfd fds[2] = {{m_read, POLLIN, 0}, {m_write, POLLOUT, 0}};
        return ::poll(fds, forWriting ? 2 : 1, timeoutMs) > 0;
    }
    int readFd() const override { return m_read; }
    int writeFd() const override { return m_write; }

private:
    int m_read, m_write;
};

} // namespace

std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>> memoryTransportPair(size_t capacity) {
    auto shared = std::make_shared<Shared>();
    shared->capacity = capacity;
    return {std::make_unique<MemoryTransport>(shared, 0), std::make_unique<MemoryTransport>(shared, 1)};
}

std::unique_ptr<Transport> fdTransport(int readFd, int writeFd) { return std::make_unique<FdTransport>(readFd, writeFd); }

} // namespace qw::wire
