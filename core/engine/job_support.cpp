// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/job_support.h"

#include "base/files.h"
#include "checkpoint/module_plan.h"
#include "engine/crash.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

namespace qw::engine {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kConfigLimit = 8 << 20; // engine.md 8

Status copySideFiles(const fs::path& from, const fs::path& to) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(from, error)) {
        const std::string name = entry.path().filename().string();
        const bool side = name.starts_with("tokenizer") || name == "vocab.json" || name == "merges.txt" ||
                          name == "special_tokens_map.json" || name == "generation_config.json" || name == "added_tokens.json";
        if (!side || !entry.is_regular_file()) continue;
        QW_TRY(const std::string bytes, readFile(entry.path()));
        QW_CHECK(writeFileAtomic(to / name, bytes));
    }
    if (error)
        return Error{"file.not_found", "cannot read the tokenizer folder " + from.string() + ": " + error.message(),
                     "correct model.tokenizer", "", false};
    return {};
}

Result<Source> randomSource(const records::Recipe& recipe, const fs::path& runDir) {
    QW_TRY(const std::string text, readFile(recipe.model.config, kConfigLimit));
    auto config = checkpoint::parseModelConfig(text);
    if (!config) return std::move(config).error().at(recipe.model.config);
    Source source;
    source.config = *std::move(config);
    source.tied = recipe.model.tie == "auto" ? source.config.tied : recipe.model.tie == "true";
    source.folder = runDir / "source";
    QW_CHECK(makeDirs(source.folder));
    QW_CHECK(writeFileAtomic(source.folder / "config.json", text));
    QW_CHECK(copySideFiles(recipe.model.tokenizer, source.folder));
    source.stored = recipe.precision.mode == "fp32" ? records::DType::F32 : records::DType::BF16;
    return source;
}

int64_t bytesPer(records::DType type) { return type == records::DType::F32 ? 4 : 2; }

int64_t elements(const checkpoint::ExpectedTensor& tensor) {
    int64_t n = 1;
    for (const int64_t d : tensor.shape) n *= d;
    return n;
}

} // namespace

Result<Source> openSource(const records::Recipe& recipe, const fs::path& path, const fs::path& runDir) {
    const fs::path folder = path.empty() ? fs::path(recipe.model.path) : path;
    if (folder.empty()) {
        if (recipe.model.config.empty())
            return Error{"config.invalid", "the recipe names no model", "set model.path, or model.config with init: random", "", false};
        return randomSource(recipe, runDir);
    }
    QW_TRY(auto files, checkpoint::Checkpoint::open(folder, recipe.model.tie));
    Source source;
    source.config = files.config();
    source.tied = files.tied();
    source.folder = files.dir();
    source.stored = files.dtype();
    source.files = std::move(files);
    return source;
}

Result<model::Decoder> loadDecoder(const Source& source, uint64_t seed, at::ScalarType type, at::Device device) {
    if (source.files) return model::Decoder::load(*source.files, type, device);
    return model::Decoder::random(source.config, source.tied, seed, type, device);
}

at::ScalarType scalarType(records::DType type) {
    switch (type) {
    case records::DType::F32:
        return at::kFloat;
    case records::DType::BF16:
        return at::kBFloat16;
    case records::DType::F16:
        return at::kHalf;
    }
    return at::kFloat;
}

const char* dtypeName(records::DType type) {
    switch (type) {
    case records::DType::F32:
        return "fp32";
    case records::DType::BF16:
        return "bf16";
    case records::DType::F16:
        return "fp16";
    }
    return "fp32";
}

std::optional<records::DType> dtypeFromName(const std::string& name) {
    if (name == "fp32" || name == "float32") return records::DType::F32;
    if (name == "bf16" || name == "bfloat16") return records::DType::BF16;
    if (name == "fp16" || name == "float16") return records::DType::F16;
    return std::nullopt;
}

records::DType exportType(const JobInput& input, const Source& source) {
    const auto& precision = input.recipe.precision;
    const bool trains = input.identity.kind == "train" || input.identity.kind == "qat";
    if (!trains && input.identity.studyUid.empty()) return dtypeFromName(precision.exportDtype).value_or(source.stored);
    return checkpoint::memberType(precision.exportDtype, precision.mode);
}

std::string modelInfo(records::DType exported, int64_t steps) {
    return nlohmann::json{{"dtype", dtypeName(exported)}, {"steps", steps}}.dump();
}

std::string nativeInfo(const std::string& method, const quant::Plan& plan, records::DType exported) {
    return nlohmann::json{{"method", method}, {"bits_per_weight", plan.bitsPerWeight}, {"export_dtype", dtypeName(exported)}}.dump();
}

Result<wire::ModelFacts> describe(const Source& source, records::DType exported, const quant::Plan* plan, int64_t totalSteps) {
    wire::ModelFacts facts;
    facts.path = source.folder.string();
    facts.arch = source.config.modelType;
    facts.dtype = dtypeName(source.stored);
    facts.exportDtype = dtypeName(exported);
    for (const auto& tensor : checkpoint::expectedTensors(source.config, source.tied)) facts.parameters += elements(tensor);
    if (source.files) {
        QW_TRY(facts.fingerprint, source.files->fingerprint());
        facts.bytes = static_cast<int64_t>(source.files->bytes());
    } else {
        facts.fingerprint = "random";
        facts.bytes = facts.parameters * bytesPer(source.stored);
    }
    facts.quantizedBytes = plan ? checkpoint::forecastBytes(source.config, source.tied, exported, plan->layers) : 0;
    facts.bitsPerWeight = plan ? plan->bitsPerWeight : 0;
    if (plan) facts.layers = plan->layers;
    facts.totalSteps = totalSteps;
    return facts;
}

void reportSource(const Source& source, const tokenizer::Tokenizer& tokenizer, const wire::Sink& emit) {
    if (source.files)
        for (const auto& problem : source.files->warnings()) emit(wire::Notice{false, problem.code, problem.message, problem.hint, ""});
    for (const auto& note : source.config.notes) emit(wire::LogLine{1, note});
    for (const auto& warning : tokenizer.report().warnings) emit(wire::Notice{false, "tokenizer.note", warning, "", ""});
    if (tokenizer.vocabSize() > source.config.vocab)
        emit(wire::Notice{false, "model.shape",
                          "the tokenizer has " + std::to_string(tokenizer.vocabSize()) + " ids but the model's vocabulary ends at " +
                              std::to_string(source.config.vocab),
                          "check that tokenizer and weights belong together", ""});
}

void EvalGate::poll() {
    touchProgress();
    if (m_job.level() == CancelLevel::Pause) {
        m_emit(wire::StateChange{records::RunState::Paused, "eval", "on request"});
        while (m_job.level() == CancelLevel::Pause) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            touchProgress();
        }
        if (!stopped()) m_emit(wire::StateChange{records::RunState::Running, "eval", "resumed"});
    }
    if (stopped()) m_token.raise(CancelLevel::Now);
}

fs::path cacheFolder(const fs::path& runDir) { return fs::absolute(runDir).lexically_normal().parent_path().parent_path() / "cache"; }

} // namespace qw::engine
