// SPDX-License-Identifier: GPL-3.0-or-later
// What: the GGUF container (export.md 5.1): metadata, then tensors one after another at multiples of 32 bytes.
// Limits: little-endian machines; a tensor's bytes are asked for once, in file order.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace qw::formats {

enum class GgufType : uint32_t { F32 = 0, F16 = 1, Q4_0 = 2, Q4_1 = 3, Q8_0 = 8, BF16 = 30 };
[[nodiscard]] const char* word(GgufType type);
[[nodiscard]] bool isBlocks(GgufType type);                       // of 32 elements with fp16 numbers; else elements one by one
[[nodiscard]] uint32_t fileType(GgufType type);                   // general.file_type of a file that is mostly of this type
[[nodiscard]] uint64_t rowBytes(GgufType type, int64_t elements); // of one row; quantized rows are whole blocks

class GgufMetadata {
public:
    void number(std::string_view key, uint32_t value);
    void real(std::string_view key, double value); // as fp32
    void flag(std::string_view key, bool value);
    void text(std::string_view key, std::string_view value);
    void texts(std::string_view key, const std::vector<std::string>& values);
    void numbers(std::string_view key, const std::vector<int32_t>& values);
    void reals(std::string_view key, const std::vector<float>& values);
    [[nodiscard]] uint64_t count() const { return m_count; }
    [[nodiscard]] const std::string& bytes() const { return m_bytes; }

private:
    void begin(std::string_view key, uint32_t type);
    std::string m_bytes;
    uint64_t m_count = 0;
};

using GgufSink = std::function<Status(const void*, uint64_t)>;
struct GgufTensor {
    std::string name; // of GGUF
    GgufType type = GgufType::F32;
    std::vector<int64_t> shape; // row-major
    std::function<Status(const GgufSink&)> write;
    [[nodiscard]] uint64_t bytes() const;
};

[[nodiscard]] uint64_t ggufBytes(const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors); // of the whole file
// usage names a tensor whose name the format cannot hold. done: bytes so far; false cancels.
[[nodiscard]] Status writeGguf(const std::filesystem::path& path, const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors,
                               const std::function<bool(uint64_t done, uint64_t total)>& progress);

} // namespace qw::formats
