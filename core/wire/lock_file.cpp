// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/lock_file.h"

#include "base/clock.h"
#include "base/files.h"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <thread>
#include <unistd.h>

namespace qw::wire {
namespace {

constexpr int64_t kBeatMs = 10'000; // engine.md 1: a heartbeat file not older than this is alive
constexpr int64_t kProbeMs = 250;   // isLockLive() of others holds a shared lock for microseconds

int openLock(const std::filesystem::path& path, int flags) { return ::open(path.c_str(), flags | O_CLOEXEC, 0600); }

LockHolder parse(const std::string& text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return {};
    LockHolder holder;
    if (const auto pid = json.find("pid"); pid != json.end() && pid->is_number_integer()) holder.pid = pid->get<int64_t>();
    if (const auto since = json.find("since_ms"); since != json.end() && since->is_number_integer()) holder.sinceMs = since->get<int64_t>();
    if (const auto boot = json.find("boot_id"); boot != json.end() && boot->is_string()) holder.bootId = boot->get<std::string>();
    if (const auto host = json.find("host"); host != json.end() && host->is_string()) holder.host = host->get<std::string>();
    return holder;
}

LockHolder readFd(int fd) {
    char buffer[1024];
    const ssize_t n = ::pread(fd, buffer, sizeof buffer, 0);
    return n > 0 ? parse(std::string(buffer, static_cast<size_t>(n))) : LockHolder{};
}

// flock says nobody holds it: is it still someone's whose flock we cannot see?
bool beatsElsewhere(int fd, const std::filesystem::path& path, const LockHolder& holder) {
    if (holder.pid == 0) return false;
    if (holder.host == thisProcess().host && !isNetworkFileSystem(path.parent_path())) return false;
    struct stat info {};
    if (::fstat(fd, &info) != 0) return false;
    const int64_t mtimeMs = int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1'000'000;
    return wallMs() - mtimeMs <= kBeatMs;
}

Error busy(const std::filesystem::path& path, const LockHolder& holder) {
    std::string who = holder.pid ? "process " + std::to_string(holder.pid) : "another process";
    if (!holder.host.empty() && holder.host != thisProcess().host) who += " on " + holder.host;
    return {"engine.busy", path.string() + " is held by " + who, "wait for it to end, or stop it first", {}, true};
}

} // namespace

LockHolder thisProcess() {
    static const std::string bootId = [] {
        // stat of /proc files says 0 bytes, so readFile() does not fit.
        std::string text(64, '\0');
        const int fd = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
        const ssize_t n = fd >= 0 ? ::read(fd, text.data(), text.size()) : 0;
        if (fd >= 0) ::close(fd);
        text.resize(n > 0 ? static_cast<size_t>(n) : 0);
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text;
    }();
    static const std::string host = [] {
        char name[256] = {};
        return ::gethostname(name, sizeof name - 1) == 0 ? std::string(name) : std::string("localhost");
    }();
    return {::getpid(), bootId, host, wallMs()};
}

bool isNetworkFileSystem(const std::filesystem::path& path) {
    struct statfs info {};
    if (::statfs(path.empty() ? "." : path.c_str(), &info) != 0) return false;
    switch (static_cast<uint32_t>(info.f_type)) {
    case 0x6969:     // NFS
    case 0x517B:     // SMB
    case 0xFF534D42: // CIFS
    case 0xFE534D42: // SMB2
    case 0x0BD00BD0: // Lustre
    case 0x47504653: // GPFS
    case 0x65735546: // FUSE
    case 0x01021997: // 9p
        return true;
    default:
        return false;
    }
}

Result<LockFile> LockFile::take(const std::filesystem::path& path) {
    const int fd = openLock(path, O_RDWR | O_CREAT);
    if (fd < 0) return errnoError(errno, "lock", path);
    const int64_t deadline = monotonicNs() + kProbeMs * 1'000'000;
    while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        const int errnum = errno;
        if (errnum == EINTR) continue;
        const LockHolder holder = readFd(fd);
        // A holder has written its name; without one it is a probe of isLockLive(), or a holder that is just starting.
        if (errnum == EWOULDBLOCK && holder.pid == 0 && monotonicNs() < deadline) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            continue;
        }
        if (errnum == EWOULDBLOCK && holder.pid != 0 && monotonicNs() < deadline - (kProbeMs - 20) * 1'000'000) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2)); // a stale name and a probe look like a holder for a moment
            continue;
        }
        ::close(fd);
        if (errnum == EWOULDBLOCK) return busy(path, holder);
        return errnoError(errnum, "lock", path);
    }
    const LockHolder previous = readFd(fd);
    if (beatsElsewhere(fd, path, previous)) {
        ::close(fd);
        return busy(path, previous);
    }
    const LockHolder me = thisProcess();
    const std::string text =
        nlohmann::json{{"pid", me.pid}, {"boot_id", me.bootId}, {"host", me.host}, {"since_ms", me.sinceMs}}.dump() + "\n";
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
        const Error error = errnoError(errno, "write", path);
        ::close(fd);
        return error;
    }
    return LockFile(fd, previous);
}

LockFile::LockFile(LockFile&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)), m_previous(std::move(other.m_previous)) {}
LockFile& LockFile::operator=(LockFile&& other) noexcept {
    std::swap(m_fd, other.m_fd);
    std::swap(m_previous, other.m_previous);
    return *this;
}
LockFile::~LockFile() {
    if (m_fd < 0) return;
    // The file stays: removing it would let two processes lock two files of one name.
    if (::ftruncate(m_fd, 0) != 0) beat();
    ::close(m_fd);
}

void LockFile::beat() {
    if (m_fd >= 0) ::futimens(m_fd, nullptr);
}

bool isLockLive(const std::filesystem::path& path) {
    const int fd = openLock(path, O_RDONLY);
    if (fd < 0) return false;
    bool live = false;
    if (::flock(fd, LOCK_SH | LOCK_NB) != 0)
        live = errno == EWOULDBLOCK;
    else
        live = beatsElsewhere(fd, path, readFd(fd));
    ::close(fd);
    return live;
}

LockHolder readLockHolder(const std::filesystem::path& path) {
    const int fd = openLock(path, O_RDONLY);
    if (fd < 0) return {};
    const LockHolder holder = readFd(fd);
    ::close(fd);
    return holder;
}

} // namespace qw::wire
