// SPDX-License-Identifier: GPL-3.0-or-later
// What: a disk that is full or broken on request, for the engine that only the tests build (engine.md 11, rows 7 to 9): calls of the C
// library, replaced for this program. While the file that QATW_FAULT_DISK names exists, it says what happens: "checkpoints full",
// "run full" (the event log too) or "checkpoints sync".
// Limits: full shows in the middle of a file, never beforehand; a reservation is answered as by a file system that has none.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <sys/types.h>
#include <unistd.h>

namespace {

enum class Fault { None, Full, Sync };

std::string nameOf(int fd) {
    char link[64], path[4096];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = ::readlink(link, path, sizeof path);
    return n > 0 ? std::string(path, static_cast<size_t>(n)) : std::string();
}

Fault faultOf(int fd) {
    const char* marker = std::getenv("QATW_FAULT_DISK");
    if (!marker) return Fault::None;
    const int file = ::open(marker, O_RDONLY | O_CLOEXEC);
    if (file < 0) return Fault::None;
    char text[64] = {};
    const ssize_t n = ::read(file, text, sizeof text - 1);
    ::close(file);
    if (n <= 0) return Fault::None;
    const std::string path = nameOf(fd);
    const bool run = std::strncmp(text, "run", 3) == 0;
    const bool concerned = path.find("/checkpoints/") != std::string::npos || (run && path.ends_with("/events.qlog"));
    if (!concerned) return Fault::None;
    return std::strstr(text, "sync") ? Fault::Sync : Fault::Full;
}

template<class F> F next(const char* name) { return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name)); }

// The first half of a piece still fits; what follows on this descriptor does not.
thread_local int halfFd = -1;
size_t fits(int fd, size_t size) {
    if (size < 2 || halfFd == fd) {
        halfFd = -1;
        return 0;
    }
    halfFd = fd;
    return size / 2;
}

} // namespace

extern "C" {

ssize_t write(int fd, const void* data, size_t size) {
    static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
    if (faultOf(fd) == Fault::Full && (size = fits(fd, size)) == 0) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, data, size);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
    static const auto real = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
    if (faultOf(fd) == Fault::Full && (size = fits(fd, size)) == 0) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, data, size, at);
}

int fallocate(int fd, int mode, off_t at, off_t size) {
    static const auto real = next<int (*)(int, int, off_t, off_t)>("fallocate");
    if (faultOf(fd) == Fault::None) return real(fd, mode, at, size);
    errno = EOPNOTSUPP;
    return -1;
}

int fsync(int fd) {
    static const auto real = next<int (*)(int)>("fsync");
    if (faultOf(fd) != Fault::Sync) return real(fd);
    errno = EIO;
    return -1;
}

} // extern "C"
