// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/shards.h"

#include "base/digest.h"
#include "base/files.h"
#include "checkpoint/json_value.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace qw::checkpoint {
namespace {

std::string shardName(size_t number, size_t count) {
    std::array<char, 64> name{};
    std::snprintf(name.data(), name.size(), "model-%05zu-of-%05zu.safetensors", number + 1, count);
    return name.data();
}

} // namespace

Result<ShardsWritten> writeShards(const std::filesystem::path& dir, std::vector<TensorSource> tensors,
                                  const std::map<std::string, std::string>& metadata, uint64_t shardBytes) {
    std::vector<std::vector<TensorSource>> shards(1);
    uint64_t total = 0, inShard = 0;
    std::map<std::string, size_t> where;
    for (TensorSource& t : tensors) {
        QW_TRY(const uint64_t bytes, sourceBytes(t));
        if (!shards.back().empty() && inShard + bytes > shardBytes) {
            shards.emplace_back();
            inShard = 0;
        }
        inShard += bytes;
        total += bytes;
        where[t.name] = shards.size() - 1;
        shards.back().push_back(std::move(t));
    }
    if (const uint64_t available = freeBytes(dir); available != 0 && available < total)
        return Error{"disk.full",
                     dir.string() + " needs " + std::to_string(total) + " bytes, " + std::to_string(available) + " are free",
                     "free some space and try again",
                     {},
                     true};
    ShardsWritten out;
    std::string digests;
    for (size_t i = 0; i < shards.size(); ++i) {
        const auto path = dir / (shards.size() == 1 ? std::string("model.safetensors") : shardName(i, shards.size()));
        QW_TRY(const std::string hash,
               writeSafetensors(path, std::move(shards[i]), i == 0 ? metadata : std::map<std::string, std::string>{}));
        digests += hash;
        std::error_code code;
        out.bytes += std::filesystem::file_size(path, code);
    }
    out.hash = xxh3Hex(digests);
    if (shards.size() == 1) return out;
    std::string index = "{\n  \"metadata\": {\n    \"total_size\": " + std::to_string(total) + "\n  },\n  \"weight_map\": {";
    bool first = true;
    for (const auto& [name, shard] : where) {
        index.append(first ? "\n    " : ",\n    ")
            .append(jsonQuoted(name))
            .append(": ")
            .append(jsonQuoted(shardName(shard, shards.size())));
        first = false;
    }
    QW_CHECK(writeFileAtomic(dir / "model.safetensors.index.json", index + "\n  }\n}\n"));
    return out;
}

Result<std::string> weightsHash(const std::vector<TensorFile>& files) {
    constexpr uint64_t piece = uint64_t{16} << 20;
    std::vector<char> bytes(piece);
    std::string digests;
    for (const TensorFile& file : files) {
        Xxh3 hash;
        for (uint64_t at = 0; at < file.fileBytes(); at += piece) {
            const uint64_t n = std::min(piece, file.fileBytes() - at);
            QW_CHECK(file.readRaw(at, bytes.data(), n));
            hash.add(bytes.data(), n);
        }
        digests += hash.hex();
    }
    return xxh3Hex(digests);
}

} // namespace qw::checkpoint
