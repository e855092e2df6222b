// SPDX-License-Identifier: GPL-3.0-or-later
// What: a model, data and a recipe small enough to train for a few steps in a test; one object is one engine start.
#pragma once

#include "checkpoint/model_config.h"
#include "test_data.h"
#include "train/trainer.h"

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <fstream>
#include <map>
#include <memory>

namespace qw::test {

inline std::string tinyLlamaJson(bool tied) {
    return std::string("{\"model_type\":\"llama\",\"architectures\":[\"LlamaForCausalLM\"],\"vocab_size\":32,\"hidden_size\":32,") +
           "\"intermediate_size\":64,\"num_hidden_layers\":2,\"num_attention_heads\":4,\"num_key_value_heads\":2," +
           "\"max_position_embeddings\":64,\"tie_word_embeddings\":" + (tied ? "true" : "false") + "}";
}
inline checkpoint::ModelConfig tinyLlama(bool tied) {
    auto config = checkpoint::parseModelConfig(tinyLlamaJson(tied));
    if (!config) qFatal("%s", config.error().message.c_str());
    return *config;
}

// Lines of letters that follow a rule, so that there is something to learn. Tokens: <s> 1, </s> 2, a 3 … z 28.
inline void writeLetters(const std::filesystem::path& file, int lines, int shift) {
    std::ofstream out(file);
    for (int i = 0; i < lines; ++i) {
        for (int j = 0; j < 24; ++j) out << static_cast<char>('a' + (i * 5 + shift + j * (1 + i % 3)) % 26);
        out << '\n';
    }
}

inline records::Recipe tinyRecipe() {
    records::Recipe recipe;
    recipe.seeds = {11};
    recipe.threads = 1;
    recipe.device = "cpu";
    recipe.data.seqLen = 32;
    recipe.data.padMultiple = 8;
    recipe.train.maxSteps = 12;
    recipe.train.microBatch = 4;
    recipe.train.gradAccum = 2;
    recipe.optim.lr = 5e-3;
    recipe.schedule.name = "constant";
    recipe.precision.mode = "fp32";
    recipe.activationCheckpointing = "none";
    recipe.checkpoint.every = 0;
    recipe.layerEvery = 4;
    return recipe;
}

inline records::Recipe savesEvery(double steps) { // and keeps them all
    records::Recipe recipe = tinyRecipe();
    recipe.checkpoint.every = steps;
    recipe.checkpoint.keep = 10;
    return recipe;
}

inline records::QatBlock int4Scheme() { // int4 g32 weights, int8 activations per token
    records::QatBlock block;
    block.weight.emplace();
    block.weight->bits = 4;
    block.activation.emplace();
    block.activation->granularity = records::Granularity::PerToken;
    block.activation->mapping = records::Mapping::Asymmetric;
    block.activation->eps = 1.1920929e-07;
    return block;
}

struct Recorded {
    std::vector<wire::Payload> events;
    template<class T> [[nodiscard]] std::vector<T> all() const {
        std::vector<T> found;
        for (const auto& event : events)
            if (const auto* one = std::get_if<T>(&event)) found.push_back(*one);
        return found;
    }
    // step -> value; a later point replaces an earlier one, as the store does it.
    [[nodiscard]] std::map<int64_t, double> series(const std::string& name) const {
        std::map<int64_t, double> points;
        for (const auto& event : events) {
            if (const auto* attempt = std::get_if<wire::Attempt>(&event)) points.erase(points.upper_bound(attempt->fromStep), points.end());
            const auto* metrics = std::get_if<wire::Metrics>(&event);
            if (!metrics) continue;
            for (const auto& [key, value] : metrics->values)
                if (key == name) points[metrics->step] = value;
        }
        return points;
    }
    [[nodiscard]] bool told(const std::string& code) const {
        for (const auto& notice : all<wire::Notice>())
            if (notice.code == code) return true;
        return false;
    }
};

// One engine start on a run folder.
class Start {
public:
    Start(std::filesystem::path run, records::Recipe recipe, bool tied = false, at::Device device = at::kCPU)
        : m_run(std::move(run)), m_recipe(std::move(recipe)) {
        std::filesystem::create_directories(m_run);
        const auto tokens = tokenizer::Tokenizer::load(fixtures() / "tokenizer/letters");
        if (!tokens) qFatal("%s", tokens.error().message.c_str());
        writeLetters(m_run / "train.txt", 150, 0);
        writeLetters(m_run / "valid.txt", 30, 7);
        m_train = build(*tokens, "train.txt");
        m_eval = build(*tokens, "valid.txt");
        const auto type = m_recipe.precision.mode == "fp32" ? at::kFloat : at::kBFloat16;
        decoder = std::make_unique<model::Decoder>(*model::Decoder::random(tinyLlama(tied), tied, 3, type, device));
        if (!m_recipe.qat) return;
        auto plan = quant::plan(*decoder, *m_recipe.qat);
        if (!plan) qFatal("%s", plan.error().message.c_str());
        quantizer = std::make_unique<quant::Quantizer>(*decoder, *plan, type == at::kFloat ? records::DType::F32 : records::DType::BF16,
                                                       m_recipe.kernels == "reference");
    }

    [[nodiscard]] Result<train::Outcome> run() {
        train::Job job{m_recipe,
                       *decoder,
                       quantizer.get(),
                       *m_train,
                       withEval ? &*m_eval : nullptr,
                       m_run,
                       "hash",
                       [this](wire::Payload p) {
                           recorded.events.push_back(std::move(p));
                           if (onEvent) onEvent(recorded.events.back());
                       },
                       cancel,
                       [this](int64_t step) {
                           if (onStep) onStep(step);
                       }};
        job.checkpointRequested = &checkpointRequested;
        job.extendSchedule = extendSchedule;
        return train::train(job);
    }

    [[nodiscard]] std::map<std::string, at::Tensor> weights() const {
        std::map<std::string, at::Tensor> all;
        for (const auto& parameter : decoder->parameters()) all[parameter.name] = parameter.tensor.detach().clone();
        return all;
    }
    [[nodiscard]] data::Dataset& trainData() { return *m_train; }
    [[nodiscard]] data::Dataset& evalData() { return *m_eval; }

    std::unique_ptr<model::Decoder> decoder;
    std::unique_ptr<quant::Quantizer> quantizer;
    Recorded recorded;
    CancelToken cancel;
    std::function<void(int64_t)> onStep;
    std::function<void(const wire::Payload&)> onEvent;
    std::atomic<bool> checkpointRequested{false};
    bool withEval = false, extendSchedule = false;

private:
    std::optional<data::Dataset> build(const tokenizer::Tokenizer& tokens, const char* file) {
        records::DataSource source;
        source.path = (m_run / file).string();
        source.format = "text";
        source.document = "line";
        auto built = data::Dataset::build(
            {source}, m_recipe.data, tokens, m_run / "cache", [](wire::Payload) {}, nullptr);
        if (!built) qFatal("%s", built.error().message.c_str());
        return *built;
    }

    std::filesystem::path m_run;
    records::Recipe m_recipe;
    std::optional<data::Dataset> m_train, m_eval;
};

inline bool sameBits(const std::map<std::string, at::Tensor>& a, const std::map<std::string, at::Tensor>& b) {
    if (a.size() != b.size()) return false;
    for (const auto& [name, tensor] : a)
        if (!b.contains(name) || !at::equal(tensor, b.at(name))) return false;
    return true;
}

} // namespace qw::test
