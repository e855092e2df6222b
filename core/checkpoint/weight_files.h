// SPDX-License-Identifier: GPL-3.0-or-later
// What: the weight files of a model folder, safetensors in one or many shards or one GGUF, opened under the rules of models.md 1.4.
#pragma once

#include "checkpoint/checkpoint.h"

#include <unordered_map>

namespace qw::checkpoint {

struct WeightFiles {
    struct Place {
        size_t file = 0;
        const TensorInfo* info = nullptr;
    };
    std::vector<TensorFile> files;                // in the order of their names
    std::unordered_map<std::string, Place> where; // every tensor once
    std::vector<Problem> warnings;
    bool gguf = false;
    [[nodiscard]] const Place* find(std::string_view name) const;
    [[nodiscard]] uint64_t bytes() const;
};
// The path of a file of the folder, after its link rule: dir is canonical. model.shard_missing, file.unsafe.
[[nodiscard]] Result<std::filesystem::path> resolveInside(const std::filesystem::path& dir, const std::string& name);
// path: a folder, or one of its GGUF files.
[[nodiscard]] Result<WeightFiles> openWeightFiles(const std::filesystem::path& path);

} // namespace qw::checkpoint
