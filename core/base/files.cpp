// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/files.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace qw {
namespace {

struct Descriptor {
    int fd = -1;
    explicit Descriptor(int value) : fd(value) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

Status writeAll(int fd, std::string_view bytes, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0) {
            if (errno == EINTR) continue;
            return errnoError(errno, "write", path);
        }
        bytes.remove_prefix(static_cast<size_t>(n));
    }
    return {};
}

} // namespace

Error errnoError(int errnum, std::string_view verb, const std::filesystem::path& path) {
    const std::string what = "cannot " + std::string(verb) + " " + path.string() + ": " + std::strerror(errnum);
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        return {"file.not_found", what, "check the path", {}, false};
    case EACCES:
    case EPERM:
    case EROFS:
        return {"file.permission", what, "change its permissions or choose another folder", {}, false};
    case ENOSPC:
    case EDQUOT:
        return {"disk.full", what, "free some space and try again", {}, true};
    default:
        return {"file.io", what, {}, {}, false};
    }
}

Result<std::string> readFile(const std::filesystem::path& path, uint64_t maxBytes) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)); // O_NONBLOCK: a FIFO must not hang us
    if (file.fd < 0) return errnoError(errno, "open", path);
    struct stat info {};
    if (::fstat(file.fd, &info) != 0) return errnoError(errno, "read", path);
    if (S_ISDIR(info.st_mode))
        return Error{"file.unsafe", path.string() + " is a folder, a file was expected", "check the path", {}, false};
    if (!S_ISREG(info.st_mode))
        return Error{"file.unsafe", path.string() + " is not a regular file", "copy its content into a file", {}, false};
    if (static_cast<uint64_t>(info.st_size) > maxBytes)
        return Error{"file.unsafe",
                     path.string() + " has " + std::to_string(info.st_size) + " bytes, at most " + std::to_string(maxBytes) +
                         " are allowed",
                     {},
                     {},
                     false};
    return readAt(file.fd, path, 0, static_cast<size_t>(info.st_size));
}

Result<std::string> readAt(int fd, const std::filesystem::path& path, uint64_t at, size_t size) {
    std::string bytes(size, '\0');
    size_t have = 0;
    while (have < size) {
        const ssize_t n = ::pread(fd, bytes.data() + have, size - have, static_cast<off_t>(at + have));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errnoError(errno, "read", path);
        if (n == 0) break;
        have += static_cast<size_t>(n);
    }
    bytes.resize(have);
    return bytes;
}

Status writeFileAtomic(const std::filesystem::path& path, std::string_view bytes) {
    const std::filesystem::path temporary = path.string() + ".tmp." + std::to_string(::getpid());
    Status status = [&]() -> Status {
        const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
        if (file.fd < 0) return errnoError(errno, "write", temporary);
        QW_CHECK(writeAll(file.fd, bytes, temporary));
        if (::fsync(file.fd) != 0) return errnoError(errno, "write", temporary);
        if (::rename(temporary.c_str(), path.c_str()) != 0) return errnoError(errno, "rename to", path);
        return {};
    }();
    if (!status) {
        ::unlink(temporary.c_str());
        return status;
    }
    return fsyncDir(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

Status makeDirs(const std::filesystem::path& path) {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    if (code) return errnoError(code.value(), "create", path);
    return {};
}

Status fsyncDir(const std::filesystem::path& path) {
    const Descriptor dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (dir.fd < 0) return errnoError(errno, "open", path);
    if (::fsync(dir.fd) != 0 && errno != EINVAL) return errnoError(errno, "sync", path);
    return {};
}

uint64_t freeBytes(const std::filesystem::path& path) {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) return 0;
    return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

} // namespace qw
