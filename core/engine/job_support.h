// SPDX-License-Identifier: GPL-3.0-or-later
// What: the steps that several kinds of jobs share: open the model, choose number types, describe it, wait while paused.
#pragma once

#include "engine/job.h"
#include "model/decoder.h"
#include "quant/quantizer.h"
#include "tokenizer/tokenizer.h"

#include <optional>

namespace qw::engine {

// The start of a job: a model folder, or a configuration to be filled with random weights.
struct Source {
    std::optional<checkpoint::Checkpoint> files; // nothing: random start
    checkpoint::ModelConfig config;
    bool tied = false;
    std::filesystem::path folder;                // config.json, tokenizer and side files
    records::DType stored = records::DType::F32; // of the weights
};
// path empty: what the recipe's model block says. A random start gets a folder of its own below runDir, with config and tokenizer.
[[nodiscard]] Result<Source> openSource(const records::Recipe& recipe, const std::filesystem::path& path,
                                        const std::filesystem::path& runDir);
[[nodiscard]] Result<model::Decoder> loadDecoder(const Source& source, uint64_t seed, at::ScalarType type, at::Device device);

[[nodiscard]] at::ScalarType scalarType(records::DType type);
[[nodiscard]] const char* dtypeName(records::DType type); // fp32 | bf16 | fp16
[[nodiscard]] std::optional<records::DType> dtypeFromName(const std::string& name);
// recipe.md 3: T of the run. Of single commands (no study, nothing trained) it is the checkpoint's own.
[[nodiscard]] records::DType exportType(const JobInput& input, const Source& source);

// What an artifact says of a folder that a run wrote, as JSON.
[[nodiscard]] std::string modelInfo(records::DType exported, int64_t steps);
[[nodiscard]] std::string nativeInfo(const std::string& method, const quant::Plan& plan, records::DType exported);

// quantizedBytes and layers from the plan, when there is one.
[[nodiscard]] Result<wire::ModelFacts> describe(const Source& source, records::DType exported, const quant::Plan* plan, int64_t totalSteps);

void reportSource(const Source& source, const tokenizer::Tokenizer& tokenizer, const wire::Sink& emit); // warnings

// Evaluation has no checkpoint of its own: pause waits here, every stop ends it after the running batch.
class EvalGate {
public:
    EvalGate(CancelToken& job, wire::Sink emit) : m_job(job), m_emit(std::move(emit)) {}
    void poll(); // between batches; blocks while paused
    [[nodiscard]] const CancelToken* token() const { return &m_token; }
    [[nodiscard]] bool stopped() const { return m_job.level() >= CancelLevel::StopAtStep; }

private:
    CancelToken& m_job;
    wire::Sink m_emit;
    CancelToken m_token;
};

[[nodiscard]] std::filesystem::path cacheFolder(const std::filesystem::path& runDir); // of the project the run lies in

} // namespace qw::engine
