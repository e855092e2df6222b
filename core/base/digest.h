// SPDX-License-Identifier: GPL-3.0-or-later
// What: content digests as lower-case hex. XXH3-128 names our own facts, SHA-256 recognises published files.
#pragma once

#include "base/result.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace qw {

[[nodiscard]] std::string xxh3Hex(std::string_view bytes);   // 32 hex digits
[[nodiscard]] std::string sha256Hex(std::string_view bytes); // 64 hex digits
[[nodiscard]] Result<std::string> xxh3File(const std::filesystem::path& path);

// XXH3-128 over parts as they come.
class Xxh3 {
public:
    Xxh3();
    ~Xxh3();
    Xxh3(const Xxh3&) = delete;
    Xxh3& operator=(const Xxh3&) = delete;
    void add(const void* bytes, size_t size);
    void add(std::string_view bytes) { add(bytes.data(), bytes.size()); }
    [[nodiscard]] std::string hex() const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace qw
