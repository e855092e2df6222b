// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/local_socket.h"

#include "base/files.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace qw::wire {
namespace fs = std::filesystem;
namespace {

// Calls act(fd, address, size) with a new socket and the short way to the path; the socket is closed again when it fails.
template<class Act> Result<int> openAt(const fs::path& path, const char* what, int flags, Act act) {
    const int dir = ::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return errnoError(errno, "open", path.parent_path());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "/proc/self/fd/" + std::to_string(dir) + "/" + path.filename().string();
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    const bool done = fd >= 0 && act(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const int why = errno;
    ::close(dir);
    if (done) return fd;
    if (fd >= 0) ::close(fd);
    return errnoError(why, what, path);
}

bool isOwn(int fd) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == ::geteuid() || peer.uid == 0);
}

} // namespace

Result<LocalListener> LocalListener::listen(const fs::path& path) {
    ::unlink(path.c_str());
    QW_TRY(const int fd, openAt(path, "listen on", SOCK_NONBLOCK, [](int made, const sockaddr* address, socklen_t size) {
               const mode_t before = ::umask(0177);
               const bool bound = ::bind(made, address, size) == 0;
               const int why = errno;
               ::umask(before);
               errno = why;
               return bound && ::listen(made, 8) == 0;
           }));
    return LocalListener(path, fd);
}

LocalListener::LocalListener(LocalListener&& other) noexcept : m_path(std::move(other.m_path)), m_fd(std::exchange(other.m_fd, -1)) {}

LocalListener::~LocalListener() {
    if (m_fd < 0) return;
    ::close(m_fd);
    ::unlink(m_path.c_str());
}

std::unique_ptr<Transport> LocalListener::accept() const {
    for (;;) {
        const int fd = ::accept4(m_fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return nullptr;
        if (isOwn(fd)) return fdTransport(fd, fd);
        ::close(fd);
    }
}

Result<std::unique_ptr<Transport>> connectLocal(const fs::path& path) {
    QW_TRY(const int fd, openAt(path, "connect to", 0,
                                [](int made, const sockaddr* address, socklen_t size) { return ::connect(made, address, size) == 0; }));
    return fdTransport(fd, fd);
}

} // namespace qw::wire
