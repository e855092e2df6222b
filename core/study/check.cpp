// SPDX-License-Identifier: GPL-3.0-or-later
#include "study/check.h"

#include "base/files.h"
#include "checkpoint/model_config.h"

namespace fs = std::filesystem;

namespace qw::study {

namespace {

Result<config::ModelNumbers> modelNumbers(const fs::path& configFile) {
    QW_TRY(const std::string text, readFile(configFile, uint64_t{8} << 20));
    QW_TRY(const auto model, checkpoint::parseModelConfig(text));
    if (!model.quantMethod.empty())
        return Error{"config.conflict", "the weights are quantized already (" + model.quantMethod + "), so there is nothing to train",
                     "take the unquantized model; 'qatw eval', 'generate' and 'export' take this one", "", false};
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
    const fs::path configFile = random ? fs::path(model.config) : fs::path(model.path) / "config.json";
    std::optional<config::ModelNumbers> numbers;
    std::optional<config::Finding> problem;
    std::error_code failed;
    if (const bool named = random ? !model.config.empty() : !model.path.empty();
        named && fs::exists(random ? model.config : model.path, failed)) {
        auto read = modelNumbers(configFile);
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
