// SPDX-License-Identifier: GPL-3.0-or-later
// What: a lock that dies with its process: flock on a file that names pid, boot id and host (run.lock, study.lock, job.lock).
// Limits: where flock cannot be trusted (another host, a network file system) the file's mtime is the second condition: beat() within 10 s.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace qw::wire {

struct LockHolder {
    int64_t pid = 0;
    std::string bootId, host;
    int64_t sinceMs = 0;
};

class LockFile {
public:
    // engine.busy naming the holder when someone has it.
    [[nodiscard]] static Result<LockFile> take(const std::filesystem::path& path);
    LockFile(LockFile&& other) noexcept;
    LockFile& operator=(LockFile&& other) noexcept;
    ~LockFile(); // empties the file and lets go
    void beat(); // call every few seconds
    // Who left the lock behind without letting go; pid 0: nobody. Worth a warning in the log.
    [[nodiscard]] const LockHolder& takenOver() const { return m_previous; }

private:
    LockFile(int fd, LockHolder previous) : m_fd(fd), m_previous(std::move(previous)) {}
    int m_fd = -1;
    LockHolder m_previous;
};

[[nodiscard]] bool isLockLive(const std::filesystem::path& path); // someone holds it now
[[nodiscard]] LockHolder readLockHolder(const std::filesystem::path& path);
[[nodiscard]] LockHolder thisProcess();
[[nodiscard]] bool
isNetworkFileSystem(const std::filesystem::path& path); // NFS, SMB, Lustre, GPFS, FUSE, 9p: no trust in locks and shared memory

} // namespace qw::wire
