// SPDX-License-Identifier: GPL-3.0-or-later
// What: reading and writing one .safetensors file with every check of models.md 1.2, and reading one .gguf file as if it were one.
// Nothing here trusts a header.
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
    std::string dtype;           // as in the file: "BF16", "F32", "I8" …; of GGUF also "Q4_0", "Q4_1", "Q8_0"
    std::vector<int64_t> shape;  // [] is a scalar
    uint64_t begin = 0, end = 0; // bytes in the data region
    int64_t headRows = 0;        // > 0: GGUF keeps the two halves of every head of so many rows interleaved; read() undoes it
    [[nodiscard]] int64_t elements() const;
    [[nodiscard]] uint64_t bytes() const { return end - begin; }
};
[[nodiscard]] std::optional<int> dtypeBits(std::string_view dtype); // nothing for unknown names

// An opened, validated file. Copyable handle; closed with the last copy. Reads use pread: a file that shrinks gives file.io, never a
// signal.
class TensorFile {
public:
    [[nodiscard]] static Result<TensorFile> open(const std::filesystem::path& path); // safetensors
    [[nodiscard]] static Result<TensorFile>
    openGguf(const std::filesystem::path& path); // names and shapes as a Hugging Face folder has them
    [[nodiscard]] const std::filesystem::path& path() const;
    [[nodiscard]] const std::vector<TensorInfo>& tensors() const; // in file order
    [[nodiscard]] const TensorInfo* find(std::string_view name) const;
    [[nodiscard]] const std::map<std::string, std::string>& metadata() const; // of GGUF: the scalars, as text
    // Bytes [offset, offset + size) of the tensor into dst.
    [[nodiscard]] Status read(const TensorInfo& tensor, void* dst, uint64_t offset, uint64_t size) const;
    [[nodiscard]] Status read(const TensorInfo& tensor, void* dst) const { return read(tensor, dst, 0, tensor.bytes()); }
    [[nodiscard]] uint64_t fileBytes() const;
    [[nodiscard]] Status readRaw(uint64_t offset, void* dst, uint64_t size) const; // of the whole file, for digests

private:
    struct State;
    [[nodiscard]] static Result<std::shared_ptr<State>> openFile(const std::filesystem::path& path);
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
