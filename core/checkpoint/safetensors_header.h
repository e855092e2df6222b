// SPDX-License-Identifier: GPL-3.0-or-later
// What: the JSON header of a safetensors file, checked rule by rule (models.md 1.2) before any size in it is used.
#pragma once

#include "checkpoint/safetensors.h"

namespace qw::checkpoint {

constexpr uint64_t kMaxHeaderBytes = 100'000'000; // huggingface/safetensors safetensors/src/tensor.rs
constexpr size_t kMaxTensors = 200'000;
constexpr size_t kMaxNameBytes = 1024;
constexpr size_t kMaxRank = 8;
constexpr size_t kMaxMetadataBytes = size_t{1} << 20;

struct Header {
    std::vector<TensorInfo> tensors; // sorted by place in the data region
    std::map<std::string, std::string> metadata;
    uint64_t dataStart = 0; // set by the caller
};
// text: the N header bytes; dataBytes: what follows it in the file. Positions in messages count from the start of the file.
[[nodiscard]] Result<Header> parseHeader(std::string_view text, uint64_t dataBytes);

} // namespace qw::checkpoint
