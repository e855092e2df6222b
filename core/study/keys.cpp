// SPDX-License-Identifier: GPL-3.0-or-later
#include "study/keys.h"

#include "base/digest.h"
#include "base/files.h"
#include "config/recipe_file.h"

#include <algorithm>
#include <fstream>
#include <functional>

namespace fs = std::filesystem;

namespace qw::study {

using records::Recipe;
using records::RowRole;

namespace {

constexpr uintmax_t kWholeUpTo = uintmax_t{64} << 20;
constexpr std::streamsize kEnd = std::streamsize{1} << 20;

// The part of a recipe that training depends on, everything else at its default.
Recipe trainingPart(const Recipe& r) {
    Recipe part;
    part.train = r.train;
    part.optim = r.optim;
    part.schedule = r.schedule;
    part.precision = r.precision;
    part.activationCheckpointing = r.activationCheckpointing;
    part.lossNormalise = r.lossNormalise;
    part.data = r.data;
    part.deterministic = r.deterministic;
    part.watchdog = r.watchdog;
    part.earlyStopPatience = r.earlyStopPatience;
    part.checkpoint.loadBestAtEnd = r.checkpoint.loadBestAtEnd;
    // How often the loss is looked at decides the result only where it can end or replace the training.
    if (r.earlyStopPatience > 0 || r.checkpoint.loadBestAtEnd || r.watchdog.lossAbove) {
        part.eval.every = r.eval.every;
        part.checkpoint.every = r.checkpoint.every;
        part.checkpoint.bestMetric = r.checkpoint.bestMetric;
        part.checkpoint.bestMode = r.checkpoint.bestMode;
    }
    return part;
}

void renamePaths(records::DataBlock& data, const std::function<std::string(const std::string&)>& name) {
    for (auto* list : {&data.train, &data.eval})
        for (auto& source : *list) source.path = name(source.path);
}

} // namespace

std::string blockDigest(const Recipe& resolved) {
    Recipe part = trainingPart(resolved);
    renamePaths(part.data, [](const std::string& path) { return fs::path(path).filename().string(); });
    return xxh3Hex(config::writeRecipe(part));
}

Result<std::string> fileFingerprint(const fs::path& file) {
    std::error_code failed;
    const uintmax_t size = fs::file_size(file, failed);
    if (failed) return Error{"file.not_found", "cannot read " + file.string(), "correct the path", {}, false};
    if (size <= kWholeUpTo) return xxh3File(file);
    Xxh3 hash;
    hash.add(std::to_string(size) + ":" + std::to_string(fs::last_write_time(file, failed).time_since_epoch().count()) + ":");
    std::ifstream in(file, std::ios::binary);
    std::string block(static_cast<size_t>(kEnd), '\0');
    for (const auto at : {std::streamoff{0}, static_cast<std::streamoff>(size) - kEnd}) {
        in.seekg(at);
        if (!in.read(block.data(), kEnd)) return Error{"file.io", "cannot read " + file.string(), "check the disk", {}, false};
        hash.add(block);
    }
    return hash.hex();
}

Result<std::string> modelFingerprint(const fs::path& folder) {
    std::error_code failed;
    if (!fs::is_directory(folder, failed)) return fileFingerprint(folder);
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
        const auto extension = entry.path().extension();
        if (entry.is_regular_file(failed) && (extension == ".json" || extension == ".safetensors" || extension == ".gguf"))
            files.push_back(entry.path());
    }
    if (files.empty())
        return Error{
            "file.not_found", folder.string() + " holds neither a config.json nor weights", "name a Hugging Face model folder", {}, false};
    std::ranges::sort(files);
    Xxh3 hash;
    for (const fs::path& file : files) {
        QW_TRY(const std::string one, fileFingerprint(file));
        hash.add(file.filename().string() + "\n" + one + "\n");
    }
    return hash.hex();
}

Result<Facts> gatherFacts(const Recipe& study, const std::string& deviceKind, const std::string& buildId) {
    Facts facts;
    facts.deviceKind = deviceKind;
    facts.buildId = buildId;
    const auto add = [&](const std::string& path, const std::string& what, bool model) -> Status {
        if (path.empty() || facts.files.contains(path)) return {};
        auto digest = model ? modelFingerprint(path) : fileFingerprint(path);
        if (!digest) return std::move(digest.error()).at(what);
        facts.files[path] = *digest;
        return {};
    };
    for (const std::string& path : {study.model.path, study.model.config, study.model.tokenizer}) QW_CHECK(add(path, "model", true));
    for (const auto& source : study.data.train) QW_CHECK(add(source.path, "data.train", false));
    for (const auto& source : study.data.eval) QW_CHECK(add(source.path, "data.eval", false));
    for (const auto& task : study.eval.tasks) QW_CHECK(add(task.path, "eval.tasks " + task.name, false));
    return facts;
}

std::string memberKey(const Member& member, const Facts& facts, const std::string& parentKey) {
    const auto digestOf = [&](const std::string& path) {
        const auto found = facts.files.find(path);
        return found == facts.files.end() ? path : found->second;
    };
    const Recipe& r = member.recipe;
    const RowRole role = member.run.role;
    const bool trains = role == RowRole::FloatTrained || role == RowRole::Qat;
    Recipe part = trains ? trainingPart(r) : Recipe{};
    if (!trains) { // what the evaluation loss and the model's dtype depend on
        part.data = r.data;
        part.data.train.clear();
        part.precision = r.precision;
    }
    renamePaths(part.data, digestOf);
    part.model = r.model;
    part.model.path = digestOf(r.model.path);
    part.model.config = digestOf(r.model.config);
    part.model.tokenizer = digestOf(r.model.tokenizer);
    if (role == RowRole::Ptq || role == RowRole::Qat) part.qat = r.qat;
    if (part.qat) {
        part.qat->preset.clear();
        if (role == RowRole::Ptq) { // training-only keys
            part.qat->fakeQuantAfterSteps.reset();
            part.qat->ste = {};
            part.qat->qparamGrad = part.qat->logFloatEval = false;
        }
    }
    part.eval.bos = r.eval.bos;
    part.eval.maxLength = r.eval.maxLength;
    part.eval.dtype = r.eval.dtype;
    part.eval.tasks = r.eval.tasks;
    for (auto& task : part.eval.tasks) task.path = digestOf(task.path);
    part.seeds = {trains || !member.parent.empty() || r.model.init == "random" ? member.run.seed : 0};
    std::string text = config::writeRecipe(part);
    for (const std::string& fact : {std::string(records::roleName(role)), member.run.method, parentKey, facts.deviceKind, facts.buildId})
        text += "\n" + fact;
    return xxh3Hex(text);
}

} // namespace qw::study
