// SPDX-License-Identifier: GPL-3.0-or-later
// What: a file that is written once from front to back; counts and hashes what goes through it.
// Limits: no temporary name and no rename: the caller writes inside a folder that others do not see yet.
#pragma once

#include "base/digest.h"

#include <cstdint>

namespace qw {

class OutputFile {
public:
    [[nodiscard]] static Result<std::unique_ptr<OutputFile>> create(const std::filesystem::path& path);
    OutputFile(int fd, std::filesystem::path path) : m_fd(fd), m_path(std::move(path)) {}
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    // Claims the space now, so that a full disk shows before the first byte. File systems without the call are only asked how much is free.
    [[nodiscard]] Status reserve(uint64_t size);
    [[nodiscard]] Status write(const void* data, uint64_t size);
    [[nodiscard]] Status finish(); // fsync and close
    [[nodiscard]] uint64_t written() const { return m_written; }
    [[nodiscard]] std::string hash() const { return m_hash.hex(); } // XXH3-128
    void discard() const;                                           // unlinks it, unless something else than a file stands there

private:
    int m_fd;
    std::filesystem::path m_path;
    Xxh3 m_hash;
    uint64_t m_written = 0;
};

} // namespace qw
