// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/bench_step.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/ids.h"
#include "config/presets.h"
#include "engine/bench_memory.h"
#include "train/trainer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace qw::engine {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSteps = 8, kWarm = 2;
constexpr double kGateTime = 1.08, kGateMemory = 1.10, kGateTelemetry = 1;

struct Shape { // performance.md 10
    const char* name;
    int64_t hidden, kv, ffn, layers, vocab, seq, batch;
};
constexpr Shape kS{"S", 512, 128, 1536, 4, 8192, 256, 4}, kXs{"XS", 256, 64, 1024, 4, 4096, 128, 4};
constexpr int64_t kHeadDim = 64;

std::string configJson(const Shape& shape) {
    return nlohmann::json{{"model_type", "llama"},
                          {"architectures", {"LlamaForCausalLM"}},
                          {"hidden_size", shape.hidden},
                          {"intermediate_size", shape.ffn},
                          {"vocab_size", shape.vocab},
                          {"num_hidden_layers", shape.layers},
                          {"num_attention_heads", shape.hidden / kHeadDim},
                          {"num_key_value_heads", shape.kv / kHeadDim},
                          {"max_position_embeddings", shape.seq},
                          {"tie_word_embeddings", false}}
        .dump();
}

// One letter, one token: what the tokens are does not matter for time and memory.
Result<tokenizer::Tokenizer> letters(const fs::path& folder) {
    nlohmann::json vocab{{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
    for (int i = 0; i < 26; ++i) vocab[std::string(1, static_cast<char>('a' + i))] = 3 + i;
    auto added = nlohmann::json::array();
    for (const char* special : {"<unk>", "<s>", "</s>"})
        added.push_back({{"id", vocab[special]},
                         {"content", special},
                         {"single_word", false},
                         {"lstrip", false},
                         {"rstrip", false},
                         {"normalized", false},
                         {"special", true}});
    const nlohmann::json file{{"version", "1.0"},
                              {"added_tokens", added},
                              {"normalizer", nullptr},
                              {"pre_tokenizer", nullptr},
                              {"post_processor", nullptr},
                              {"decoder", {{"type", "Fuse"}}},
                              {"model", {{"type", "BPE"}, {"unk_token", "<unk>"}, {"vocab", vocab}, {"merges", nlohmann::json::array()}}}};
    QW_CHECK(makeDirs(folder));
    QW_CHECK(writeFileAtomic(folder / "tokenizer.json", file.dump()));
    return tokenizer::Tokenizer::load(folder);
}

records::Recipe recipeFor(const Shape& shape, const std::string& mode, int threads) {
    records::Recipe recipe;
    recipe.seeds = {1};
    recipe.threads = threads;
    recipe.device = "cpu";
    recipe.data.seqLen = shape.seq;
    recipe.train.maxSteps = kSteps;
    recipe.train.microBatch = shape.batch;
    recipe.schedule.name = "constant";
    recipe.precision.mode = mode;
    recipe.activationCheckpointing = "none";
    recipe.checkpoint.every = 0;
    recipe.checkpoint.atEnd = false;
    return recipe;
}

struct Measured {
    double ms = 0, bytes = 0, telemetry = 0; // a step, median; peak of the run with its model; share of the time
};

class Trainings {
public:
    Trainings(const BenchOptions& options, const Shape& shape)
        : m_options(options), m_shape(shape), m_folder(options.scratch / newUlid()) {}
    ~Trainings() {
        std::error_code ignored;
        fs::remove_all(m_folder, ignored);
    }
    Trainings(const Trainings&) = delete;
    Trainings& operator=(const Trainings&) = delete;

    Result<Measured> run(const std::string& mode, bool qat) {
        records::Recipe recipe = recipeFor(m_shape, mode, m_options.threads);
        if (qat) {
            QW_TRY(recipe.qat, config::schemePreset("8da4w"));
            recipe.qat->weight->groupSize = 32;
        }
        Result<Measured> result = Measured{};
        double bytes = 0;
        bytes = peakBytes([&] { result = train(recipe); });
        if (result) result->bytes = bytes;
        return result;
    }

private:
    Result<Measured> train(const records::Recipe& recipe) {
        QW_TRY(const auto tokens, letters(m_folder));
        records::DataSource source;
        source.path = (m_folder / "text.txt").string();
        source.format = "text";
        QW_CHECK(writeFileAtomic(source.path, text(recipe)));
        QW_TRY(auto data, data::Dataset::build(
                              {source}, recipe.data, tokens, m_folder / "cache", [](const wire::Payload&) {}, nullptr));
        QW_TRY(const auto config, checkpoint::parseModelConfig(configJson(m_shape)));
        const bool fp32 = recipe.precision.mode == "fp32";
        QW_TRY(auto decoder, model::Decoder::random(config, false, 1, fp32 ? at::kFloat : at::kBFloat16, at::kCPU));
        std::unique_ptr<quant::Quantizer> quantizer;
        if (recipe.qat) {
            QW_TRY(auto plan, quant::plan(decoder, *recipe.qat));
            quantizer = std::make_unique<quant::Quantizer>(decoder, std::move(plan), fp32 ? records::DType::F32 : records::DType::BF16);
        }
        std::vector<int64_t> ends;
        double telemetry = 0, total = 0;
        const auto see = [&](const wire::Payload& event) {
            const auto* metrics = std::get_if<wire::Metrics>(&event);
            if (!metrics) return;
            for (const auto& [name, value] : metrics->values) {
                if (name == "time.telemetry") telemetry += value;
                if (name == "time.total") total += value;
            }
        };
        CancelToken cancel;
        const fs::path runDir = m_folder / newUlid();
        train::Job job{
            recipe, decoder, quantizer.get(), data, nullptr, runDir, "", see, cancel, [&](int64_t) { ends.push_back(monotonicNs()); }};
        QW_TRY(const auto outcome, train::train(job));
        if (outcome.steps != kSteps) return Error{"engine.internal", "the trainer stopped early", {}, {}, false};
        std::vector<double> times;
        for (size_t i = kWarm; i < ends.size(); ++i) times.push_back(static_cast<double>(ends[i] - ends[i - 1]) * 1e-6);
        std::ranges::sort(times);
        return Measured{times[times.size() / 2], 0, total > 0 ? telemetry / total : 0};
    }

    [[nodiscard]] std::string text(const records::Recipe& recipe) const {
        const int64_t count = (kSteps + 1) * recipe.train.microBatch * recipe.data.seqLen;
        std::string letters;
        uint32_t state = 1;
        for (int64_t i = 0; i < count; ++i) {
            state = state * 1664525U + 1013904223U; // Numerical Recipes' generator
            letters.push_back(static_cast<char>('a' + (state >> 16) % 26));
        }
        return letters;
    }

    const BenchOptions& m_options;
    const Shape& m_shape;
    fs::path m_folder;
};

} // namespace

Result<records::BenchResult> benchStepOverhead(const BenchOptions& options) {
    const auto peers = nlohmann::json::parse(options.peers, nullptr, false);
    records::BenchResult result;
    result.name = "step_overhead";
    result.gate = "QAT step <= 1.08x a plain one, peak memory <= 1.10x; telemetry <= 1 % of the time";
    result.note = "8da4w, groups of 32; S 4 x 256 tokens, XS 4 x 128 tokens";
    const std::vector<Shape> shapes = options.quick ? std::vector{kXs} : std::vector{kS, kXs};
    for (const Shape& shape : shapes)
        for (const auto& [type, mode] : {std::pair{"fp32", "fp32"}, std::pair{"bf16", "bf16_pure"}}) {
            Trainings trainings(options, shape);
            QW_TRY(const Measured plain, trainings.run(mode, false));
            QW_TRY(const Measured qat, trainings.run(mode, true));
            const std::string of = std::string(shape.name) + " " + type;
            const double time = qat.ms / plain.ms, memory = qat.bytes / plain.bytes;
            result.figures.push_back({of + " plain step", plain.ms, "ms"});
            result.figures.push_back({of + " QAT step", qat.ms, "ms"});
            result.figures.push_back({of + " time ratio", time, "x", std::nullopt, kGateTime});
            result.figures.push_back({of + " peak, plain", plain.bytes * 1e-6, "MB"});
            result.figures.push_back({of + " peak, QAT", qat.bytes * 1e-6, "MB"});
            result.figures.push_back({of + " memory ratio", memory, "x", std::nullopt, kGateMemory});
            result.figures.push_back({of + " telemetry", 100 * qat.telemetry, "%", std::nullopt, kGateTelemetry});
            if (!peers.contains(of)) continue;
            const auto& theirs = peers[of];
            result.figures.push_back({of + " torchao: plain step", theirs.value("plain", 0.0), "ms"});
            result.figures.push_back({of + " torchao: QAT step", theirs.value("qat", 0.0), "ms"});
            result.figures.push_back({of + " torchao: time ratio", theirs.value("qat", 0.0) / theirs.value("plain", 1.0), "x"});
            result.figures.push_back(
                {of + " torchao: memory ratio", theirs.value("qat_bytes", 0.0) / theirs.value("plain_bytes", 1.0), "x"});
        }
    if (peers.contains("version")) result.peer = peers.value("version", "");
    return result;
}

} // namespace qw::engine
