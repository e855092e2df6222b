// SPDX-License-Identifier: GPL-3.0-or-later
// What: a Unix socket that this user alone can reach, as the engine and the supervisor open it in their folders (engine.md 2.1).
// Limits: never waits; a socket's path may have 107 bytes and a run folder's more, so the folder is reached through its descriptor.
#pragma once

#include "base/result.h"
#include "wire/transport.h"

#include <filesystem>
#include <memory>

namespace qw::wire {

class LocalListener {
public:
    // What lies at the path is replaced: the caller holds the lock of that folder. file.io
    [[nodiscard]] static Result<LocalListener> listen(const std::filesystem::path& path);
    LocalListener(LocalListener&& other) noexcept;
    LocalListener& operator=(LocalListener&&) = delete;
    ~LocalListener(); // the socket's file goes with it

    [[nodiscard]] int fd() const { return m_fd; } // readable when somebody waits
    // Somebody of the same user, or root; null: nobody waits.
    [[nodiscard]] std::unique_ptr<Transport> accept() const;

private:
    LocalListener(std::filesystem::path path, int fd) : m_path(std::move(path)), m_fd(fd) {}
    std::filesystem::path m_path;
    int m_fd = -1;
};

[[nodiscard]] Result<std::unique_ptr<Transport>> connectLocal(const std::filesystem::path& path); // file.io

} // namespace qw::wire
