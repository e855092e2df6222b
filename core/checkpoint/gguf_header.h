// SPDX-License-Identifier: GPL-3.0-or-later
// What: what stands before the data of a GGUF file (export.md 5.1), every size and offset checked before it is used.
// Limits: of arrays only their shape is checked; their elements (the tokenizer) are stepped over.
#pragma once

#include "checkpoint/safetensors_header.h"

namespace qw::checkpoint {

// Bytes [offset, offset + size) of the file.
using ReadBytes = std::function<Status(uint64_t offset, void* dst, uint64_t size)>;

struct GgufTensor {
    std::string name;            // as in the file
    const char* type = "";       // "F32", "Q4_0" …
    std::vector<int64_t> shape;  // row-major: the reverse of the file's order
    uint64_t begin = 0, end = 0; // bytes in the data region
};
struct GgufContents {
    std::map<std::string, std::string> metadata; // scalars as text
    std::vector<GgufTensor> tensors;
    uint64_t dataStart = 0;
};
[[nodiscard]] Result<GgufContents> parseGguf(const ReadBytes& read, uint64_t fileBytes);

struct BlockType {
    const char* name;
    int64_t elements, bytes; // of one block
};
[[nodiscard]] const BlockType* blockType(std::string_view name); // null: elements are stored one by one

// The same contents under the names of a Hugging Face folder: quantized matrices as "<module>.weight.blocks", q and k of the llama family
// marked for un-permuting. model.unsupported_arch names an architecture that is not read.
[[nodiscard]] Result<Header> headerOfGguf(GgufContents contents);

// The name in a GGUF file of a weight or bias of a Hugging Face folder; others keep theirs.
[[nodiscard]] std::string ggufTensorName(const std::string& name);

inline constexpr const char* kBlocksSuffix = ".weight.blocks";

} // namespace qw::checkpoint
