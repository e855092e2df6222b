// SPDX-License-Identifier: GPL-3.0-or-later
// What: tensors and quantization_config of compressed-tensors: pack-quantized of 2 to 8 bits, int-quantized (export.md 4.1 - 4.3).
// Limits: sources have at least one quantized linear layer; all of them one scheme, with integer zero points or none.
#pragma once

#include "checkpoint/checkpoint.h"

namespace qw::formats {

struct CompressedLayout {
    enum class Storage : uint8_t { Packed, Int8 }; // codes in words of 32 bits; in a byte each
    Storage storage = Storage::Packed;
    bool activation = false; // declared in the file
    int64_t group = 0;       // columns of a scale as written; 0: per channel
    int64_t repeat = 1;      // scales written for each stored one
};
// What most readers take: 8-bit weights with 8-bit activations as bytes, everything else packed without its activations. Of any source.
[[nodiscard]] CompressedLayout portableLayout(const checkpoint::Checkpoint& source);

// Codes lie across the words that hold them, since their width does not divide 32.
[[nodiscard]] bool acrossWords(const checkpoint::Checkpoint& source);

[[nodiscard]] std::vector<checkpoint::TensorSource> compressedTensors(const checkpoint::Checkpoint& source, const CompressedLayout& layout);
// The value of config.json's quantization_config: one JSON object.
[[nodiscard]] std::string compressedConfig(const checkpoint::Checkpoint& source, const CompressedLayout& layout);

} // namespace qw::formats
