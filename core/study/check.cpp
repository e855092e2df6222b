// SPDX-License-Identifier: GPL-3.0-or-later
#include "study/check.h"

#include "base/files.h"
#include "checkpoint/checkpoint.h"

namespace fs = std::filesystem;

namespace qw::study {

namespace {

Error nothingToTrain(const std::string& format) {
    return {"config.conflict", "the weights are quantized already (" + format + "), so there is nothing to train",
            "take the unquantized model; 'qatw eval', 'generate' and 'export' take this one", "", false};
}

// The files decide, not config.json alone: a GGUF says it only in itself.
Status isTrainable(const fs::path& model) {
    const auto opened = checkpoint::Checkpoint::open(model);
    if (opened && opened->isQuantized()) return nothingToTrain(opened->format());
    return {}; // what cannot be opened is named when the job opens it
}

Result<config::ModelNumbers> modelNumbers(const fs::path& configFile) {
    QW_TRY(const std::string text, readFile(configFile, uint64_t{8} << 20));
    QW_TRY(const auto model, checkpoint::parseModelConfig(text));
    if (!model.quantMethod.empty()) return nothingToTrain(model.quantMethod);
    config::ModelNumbers numbers;
    numbers.maxPositions = model.maxPositions;
    numbers.ropeScaled = model.rope.type != "default";
    for (const auto& tensor : checkpoint::expectedTensors(model, false)) {
        const bool table = tensor.role == checkpoint::TensorRole::Embedding;
        if (!table && tensor.role != checkpoint::TensorRole::Linear && tensor.role != checkpoint::TensorRole::Head) continue;
        const std::string suffix = ".weight";
        std::string name = tensor.name;
        if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
        (table ? numbers.embeddings : numbers.linears).emplace_back(std::move(name), tensor.shape.back());
    }
    return numbers;
}

} // namespace

std::vector<config::Finding> checkRecipe(const config::RecipeFile& file) {
    const auto& model = file.recipe.model;
    const bool random = model.init == "random";
    const bool gguf = !random && fs::path(model.path).extension() == ".gguf"; // with config.json beside it
    const fs::path configFile = random ? fs::path(model.config)
                                : gguf ? fs::path(model.path).parent_path() / "config.json"
                                       : fs::path(model.path) / "config.json";
    std::optional<config::ModelNumbers> numbers;
    std::optional<config::Finding> problem;
    std::error_code failed;
    if (const bool named = random ? !model.config.empty() : !model.path.empty();
        named && fs::exists(random ? model.config : model.path, failed)) {
        auto read = modelNumbers(configFile);
        if (const Status trainable = read && !random ? isTrainable(model.path) : Status{}; !trainable) read = trainable.error();
        const std::string key = random ? "model.config" : "model.path";
        const auto line = file.lines.find(key);
        if (read)
            numbers = std::move(*read);
        else
            problem = config::Finding{true, line == file.lines.end() ? "" : line->second, key,
                                      configFile.string() + ": " + read.error().message, read.error().hint};
    }
    auto findings = config::validate(file, numbers);
    if (problem) findings.insert(findings.begin(), std::move(*problem));
    return findings;
}

} // namespace qw::study
