// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/bench_load.h"

#include "base/clock.h"
#include "base/files.h"
#include "engine/bench_memory.h"
#include "model/decoder.h"

#include <cstdlib>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace qw::engine {
namespace {

constexpr int64_t kHidden = 4096, kFfn = 14336, kHeads = 32, kKvHeads = 8; // Llama-3-8B, models.md 6
constexpr uint64_t kShardBytes = uint64_t{5} << 30;

std::string configJson(int64_t layers, int64_t vocab, bool tied) {
    return nlohmann::json{{"model_type", "llama"},
                          {"architectures", {"LlamaForCausalLM"}},
                          {"hidden_size", kHidden},
                          {"intermediate_size", kFfn},
                          {"vocab_size", vocab},
                          {"num_hidden_layers", layers},
                          {"num_attention_heads", kHeads},
                          {"num_key_value_heads", kKvHeads},
                          {"max_position_embeddings", 8192},
                          {"rms_norm_eps", 1e-5},
                          {"rope_theta", 500000.0},
                          {"torch_dtype", "bfloat16"},
                          {"tie_word_embeddings", tied}}
        .dump();
}

// A header and a hole behind it: reads give zeros without a byte on disk.
Status sparseShard(const std::filesystem::path& path, const nlohmann::ordered_json& header, uint64_t dataBytes) {
    std::string text = header.dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    const uint64_t size = text.size(); // little endian, as this machine
    QW_CHECK(writeFileAtomic(path, std::string(reinterpret_cast<const char*>(&size), 8) + text));
    if (::truncate(path.c_str(), static_cast<off_t>(8 + text.size() + dataBytes)) != 0)
        return Error{"disk.full", "cannot lengthen " + path.string(), "free space there", {}, false};
    return {};
}

// A folder of the given depth in sparse shards, with an index when there are several.
Status sparseFolder(const std::filesystem::path& folder, int64_t layers, int64_t vocab, bool tied) {
    QW_CHECK(makeDirs(folder));
    const std::string text = configJson(layers, vocab, tied);
    QW_CHECK(writeFileAtomic(folder / "config.json", text));
    QW_TRY(const auto config, checkpoint::parseModelConfig(text));
    std::vector<std::pair<nlohmann::ordered_json, uint64_t>> shards(1);
    uint64_t total = 0;
    nlohmann::ordered_json map;
    std::vector<std::vector<std::string>> names(1);
    for (const auto& tensor : checkpoint::expectedTensors(config, tied)) {
        uint64_t bytes = 2;
        for (const int64_t d : tensor.shape) bytes *= static_cast<uint64_t>(d);
        if (shards.back().second > 0 && shards.back().second + bytes > kShardBytes) {
            shards.emplace_back();
            names.emplace_back();
        }
        auto& [header, used] = shards.back();
        header[tensor.name] = {{"dtype", "BF16"}, {"shape", tensor.shape}, {"data_offsets", {used, used + bytes}}};
        used += bytes;
        total += bytes;
        names.back().push_back(tensor.name);
    }
    for (size_t i = 0; i < shards.size(); ++i) {
        char name[64];
        std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, shards.size());
        const std::string file = shards.size() == 1 ? "model.safetensors" : name;
        QW_CHECK(sparseShard(folder / file, shards[i].first, shards[i].second));
        for (const std::string& tensor : names[i]) map[tensor] = file;
    }
    if (shards.size() > 1)
        QW_CHECK(writeFileAtomic(folder / "model.safetensors.index.json",
                                 nlohmann::ordered_json{{"metadata", {{"total_size", total}}}, {"weight_map", map}}.dump()));
    return {};
}

double seconds(int64_t from) { return static_cast<double>(monotonicNs() - from) * 1e-9; }

// What a plain sequential read of the same file costs: the floor of any loader.
Result<double> readSeconds(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Error{"file.not_found", "cannot open " + file.string(), {}, {}, false};
    std::vector<char> block(size_t{8} << 20);
    const int64_t begin = monotonicNs();
    while (::read(fd, block.data(), block.size()) > 0) {
    }
    ::close(fd);
    return seconds(begin);
}

} // namespace

Result<records::BenchResult> benchLoad8b(const BenchOptions& options) {
    const auto whole = options.scratch / "whole", part = options.scratch / "part"; // the peer reads part
    std::error_code missing;
    if (!std::filesystem::exists(whole, missing)) QW_CHECK(sparseFolder(whole, 32, 128256, false));
    if (!std::filesystem::exists(part, missing)) QW_CHECK(sparseFolder(part, options.quick ? 1 : 2, options.quick ? 1024 : 128256, true));
    records::BenchResult result;
    result.name = "load_8b_shape";
    result.gate = "<= 1.0x safetensors.torch.load_file with every byte used; memory beyond the weights <= 200 MB";
    const int64_t openBegin = monotonicNs();
    double openPeak = 0;
    Status opened;
    openPeak = peakBytes([&] {
        auto checked = checkpoint::Checkpoint::open(whole);
        if (!checked) opened = checked.error();
    });
    QW_CHECK(opened);
    result.figures = {{"8B layout, 16 GB: open and check", seconds(openBegin) * 1e3, "ms"}, {"its memory", openPeak * 1e-6, "MB"}};

    QW_TRY(const double plain, readSeconds(part / "model.safetensors")); // also: the file is in memory for both sides
    double weights = 0, took = 0, sum = 0;
    Status loaded;
    const double peak = peakBytes([&] {
        const int64_t begin = monotonicNs();
        const auto files = checkpoint::Checkpoint::open(part);
        if (!files) {
            loaded = files.error();
            return;
        }
        const auto decoder = model::Decoder::load(*files, at::kBFloat16, at::kCPU);
        if (!decoder) {
            loaded = decoder.error();
            return;
        }
        for (const auto& parameter : decoder->parameters()) {
            weights += static_cast<double>(parameter.tensor.nbytes());
            sum += parameter.tensor.view(at::kLong).sum().item<double>();
        }
        took = seconds(begin);
    });
    QW_CHECK(loaded);
    const double beyond = peak - weights;
    result.figures.push_back({"weights read", weights * 1e-9, "GB"});
    result.figures.push_back({"load and use", took, "s"});
    result.figures.push_back({"memory beyond the weights", beyond * 1e-6, "MB", std::nullopt, 200});
    result.figures.push_back({"plain read of the file", plain, "s"});
    if (sum != 0) {
        result.note = "a hole was not read as zeros";
        result.met = false;
    }
    const auto peers = nlohmann::json::parse(options.peers, nullptr, false);
    if (!peers.is_object() || !peers.contains("seconds")) {
        result.peer = "plain read of the file";
        return result;
    }
    const double theirs = peers["seconds"].get<double>();
    result.peer = "safetensors " + peers.value("version", "") + " load_file, every tensor summed";
    result.figures.push_back({"safetensors", theirs, "s"});
    result.figures.push_back({"safetensors memory", peers.value("bytes", 0.0) * 1e-6, "MB"});
    result.figures.push_back({"time ratio", took / theirs, "x", std::nullopt, 1.0});
    return result;
}

} // namespace qw::engine
