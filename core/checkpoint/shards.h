// SPDX-License-Identifier: GPL-3.0-or-later
// What: writes the weights of a model folder: one file, or shards with their index (models.md 1.4).
#pragma once

#include "checkpoint/safetensors.h"

namespace qw::checkpoint {

inline constexpr uint64_t kShardBytes = 5'000'000'000;

struct ShardsWritten {
    uint64_t bytes = 0; // of the files
    std::string hash;   // XXH3-128 over the files' hex digests, in the order of their names
};
// dir exists and is not yet visible to others. metadata goes into the first file. disk.full before the first byte.
[[nodiscard]] Result<ShardsWritten> writeShards(const std::filesystem::path& dir, std::vector<TensorSource> tensors,
                                                const std::map<std::string, std::string>& metadata, uint64_t shardBytes = kShardBytes);

// The same digest, of files as they are now.
[[nodiscard]] Result<std::string> weightsHash(const std::vector<TensorFile>& files);

} // namespace qw::checkpoint
