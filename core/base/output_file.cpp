// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/output_file.h"

#include "base/files.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace qw {

Result<std::unique_ptr<OutputFile>> OutputFile::create(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return errnoError(errno, "write", path);
    return std::make_unique<OutputFile>(fd, path);
}

OutputFile::~OutputFile() {
    if (m_fd >= 0) ::close(m_fd);
}

Status OutputFile::write(const void* data, uint64_t size) {
    m_hash.add(data, size);
    m_written += size;
    const auto* at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t n = ::write(m_fd, at, std::min<uint64_t>(size, uint64_t{1} << 30));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errnoError(errno, "write", m_path);
        at += n;
        size -= static_cast<uint64_t>(n);
    }
    return {};
}

Status OutputFile::reserve(uint64_t size) {
    const std::filesystem::path folder = m_path.has_parent_path() ? m_path.parent_path() : std::filesystem::path(".");
    if (const uint64_t available = freeBytes(folder); available != 0 && available < size)
        return Error{"disk.full",
                     m_path.string() + " needs " + std::to_string(size) + " bytes, " + std::to_string(available) + " are free",
                     "free some space and try again",
                     {},
                     true};
    if (size > 0 && ::fallocate(m_fd, 0, 0, static_cast<off_t>(size)) != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
        return errnoError(errno == EFBIG ? ENOSPC : errno, "reserve " + std::to_string(size) + " bytes for", m_path);
    return {};
}

Status OutputFile::finish() {
    const int fd = m_fd;
    if (::fsync(fd) != 0) return errnoError(errno, "write", m_path);
    m_fd = -1;
    if (::close(fd) != 0) return errnoError(errno, "write", m_path);
    return {};
}

void OutputFile::discard() const {
    struct stat info {}; // a device or a link that stood there is not ours to remove
    if (::lstat(m_path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) ::unlink(m_path.c_str());
}

} // namespace qw
