// SPDX-License-Identifier: GPL-3.0-or-later
// What: small file tools that report errors with the path and never leave a half-written file visible.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace qw {

// Whole file as bytes. file.not_found, file.permission, file.io; file.unsafe above maxBytes or when it is not a regular file.
[[nodiscard]] Result<std::string> readFile(const std::filesystem::path& path, uint64_t maxBytes = uint64_t{1} << 32);
// Up to size bytes of an open file from `at` on; fewer at its end. path: for the error.
[[nodiscard]] Result<std::string> readAt(int fd, const std::filesystem::path& path, uint64_t at, size_t size);
// Writes beside the target, fsyncs, renames. disk.full, file.permission, file.io; on error the old content stays.
[[nodiscard]] Status writeFileAtomic(const std::filesystem::path& path, std::string_view bytes);
[[nodiscard]] Status makeDirs(const std::filesystem::path& path);
[[nodiscard]] Status fsyncDir(const std::filesystem::path& path);
[[nodiscard]] uint64_t freeBytes(const std::filesystem::path& path); // 0 when it cannot be told
// Turns errno of a failed call on path into an Error; verb as in "cannot <verb> <path>".
[[nodiscard]] Error errnoError(int errnum, std::string_view verb, const std::filesystem::path& path);

} // namespace qw
