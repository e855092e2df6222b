// SPDX-License-Identifier: GPL-3.0-or-later
// What: reading and writing one .safetensors file with every check of models.md 1.2. Nothing here trusts the header.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace qw::checkpoint {

struct TensorInfo {
    std::string name;
    std::string dtype;           // as in the file: "BF16", "F32", "I8" …
    std::vector<int64_t> shape;  // [] is a scalar
    uint64_t begin = 0, end = 0; // bytes in the data region
    [[nodiscard]] int64_t elements() const;
    [[nodiscard]] uint64_t bytes() const { return end - begin; }
};
[[nodiscard]] std::optional<int> dtypeBits(std::string_view dtype); // nothing for unknown names

// An opened, validated file. Copyable handle; closed with the last copy. Reads use pread: a file that shrinks gives file.io, never a
// signal.
class SafetensorsFile {
public:
    [[nodiscard]] static Result<SafetensorsFile> open(const std::filesystem::path& path);
    [[nodiscard]] const std::filesystem::path& path() const;
    [[nodiscard]] const std::vector<TensorInfo>& tensors() const; // in file order
    [[nodiscard]] const TensorInfo* find(std::string_view name) const;
    [[nodiscard]] const std::map<std::string, std::string>& metadata() const;
    // Bytes [offset, offset + size) of the tensor into dst.
    [[nodiscard]] Status read(const TensorInfo& tensor, void* dst, uint64_t offset, uint64_t size) const;
    [[nodiscard]] Status read(const TensorInfo& tensor, void* dst) const { return read(tensor, dst, 0, tensor.bytes()); }
    [[nodiscard]] uint64_t fileBytes() const;
    [[nodiscard]] Status readRaw(uint64_t offset, void* dst, uint64_t size) const; // of the whole file, for digests

private:
    struct State;
    std::shared_ptr<const State> m_state;
};

// One tensor to write. Its bytes are asked for once, in file order.
struct TensorSource {
    std::string name, dtype;
    std::vector<int64_t> shape;
    std::function<Status(const std::function<Status(const void*, uint64_t)>& sink)> write; // calls sink with consecutive pieces
};
[[nodiscard]] TensorSource bytesSource(std::string name, std::string dtype, std::vector<int64_t> shape,
                                       const void* data); // data must outlive the write

[[nodiscard]] Result<uint64_t> sourceBytes(const TensorSource& source);
// Writes path directly (the caller writes into a temporary folder and renames it): order by element size then name, 8-byte padded header,
// fsync. Byte-identical for equal input. disk.full before the first byte when the space is missing. Returns the file's XXH3-128.
[[nodiscard]] Result<std::string> writeSafetensors(const std::filesystem::path& path, std::vector<TensorSource> tensors,
                                                   const std::map<std::string, std::string>& metadata);

} // namespace qw::checkpoint
