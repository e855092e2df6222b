// SPDX-License-Identifier: GPL-3.0-or-later
// What: writes small model folders with random weights, whole or sharded, for tests that need a checkpoint of a certain shape.
#pragma once

#include "checkpoint/model_config.h"
#include "checkpoint/safetensors.h"
#include "numerics/half.h"
#include "test_data.h"

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace qw::test {

// A config of 2 layers, width 64, 4 heads over 2, vocabulary 96. extra: further members, each followed by a comma.
inline std::string tinyConfig(const std::string& modelType, const std::string& extra = {}) {
    return "{" + extra + "\"model_type\":\"" + modelType +
           "\",\"vocab_size\":96,\"hidden_size\":64,\"intermediate_size\":96,\"num_hidden_layers\":2,\"num_attention_heads\":4,"
           "\"num_key_value_heads\":2,\"head_dim\":16,\"max_position_embeddings\":128,\"rms_norm_eps\":1e-05,\"bos_token_id\":1,\"eos_"
           "token_id\":2}";
}

struct TinyTensor {
    std::string name, dtype;
    std::vector<int64_t> shape;
    std::vector<char> bytes;
};

inline TinyTensor randomTensor(const checkpoint::ExpectedTensor& e, const std::string& dtype, std::mt19937& random) {
    TinyTensor t{e.name, dtype, e.shape, {}};
    int64_t count = 1;
    for (const int64_t d : e.shape) count *= d;
    std::normal_distribution<float> normal(0.0f, e.role == checkpoint::TensorRole::Norm ? 0.1f : 0.05f);
    for (int64_t i = 0; i < count; ++i) {
        const float value = normal(random) + (e.role == checkpoint::TensorRole::Norm ? 1.0f : 0.0f);
        const uint16_t half = dtype == "BF16" ? numerics::floatToBf16(value) : numerics::floatToF16(value);
        const char* from = dtype == "F32" ? reinterpret_cast<const char*>(&value) : reinterpret_cast<const char*>(&half);
        t.bytes.insert(t.bytes.end(), from, from + (dtype == "F32" ? 4 : 2));
    }
    return t;
}

inline Status writeTensors(const std::filesystem::path& path, const std::vector<TinyTensor>& tensors,
                           const std::map<std::string, std::string>& metadata = {}) {
    std::vector<checkpoint::TensorSource> sources;
    for (const TinyTensor& t : tensors) sources.push_back(checkpoint::bytesSource(t.name, t.dtype, t.shape, t.bytes.data()));
    auto written = checkpoint::writeSafetensors(path, std::move(sources), metadata);
    return written ? Status{} : Status{written.error()};
}

// The tensors of a config, in order; tied: without lm_head.weight.
inline std::vector<TinyTensor> tinyTensors(const std::string& config, bool tied, const std::string& dtype = "F32", unsigned seed = 1) {
    std::vector<TinyTensor> out;
    const auto parsed = checkpoint::parseModelConfig(config);
    if (!parsed) return out;
    std::mt19937 random(seed);
    for (const auto& e : checkpoint::expectedTensors(*parsed, tied)) out.push_back(randomTensor(e, dtype, random));
    return out;
}

// config.json and weights in one file, or dealt out over `shards` files with an index.
inline Status writeTinyModel(const std::filesystem::path& dir, const std::string& config, const std::vector<TinyTensor>& tensors,
                             int shards = 1) {
    writeText(dir / "config.json", config);
    if (shards == 1) return writeTensors(dir / "model.safetensors", tensors);
    std::string map;
    for (int s = 0; s < shards; ++s) {
        const std::string name =
            std::string("model-0000").append(std::to_string(s + 1)) + "-of-0000" + std::to_string(shards) + ".safetensors";
        std::vector<TinyTensor> part;
        for (size_t i = static_cast<size_t>(s); i < tensors.size(); i += static_cast<size_t>(shards)) {
            part.push_back(tensors[i]);
            map.append(map.empty() ? "\"" : ",\"").append(tensors[i].name).append("\":\"").append(name).append("\"");
        }
        QW_CHECK(writeTensors(dir / name, part));
    }
    writeText(dir / "model.safetensors.index.json", "{\"metadata\":{\"total_size\":1.5},\"weight_map\":{" + map + "}}");
    return {};
}

} // namespace qw::test
