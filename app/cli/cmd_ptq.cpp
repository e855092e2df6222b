// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/supervisor.h"
#include "project_store.h"
#include "single_job.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

Result<store::ArtifactInfo> nativeOf(const store::Store& store, const std::string& runUid) {
    QW_TRY(const auto artifacts, store.artifacts(runUid));
    for (const auto& artifact : artifacts)
        if (artifact.kind == "native") return artifact;
    return Error{"engine.internal", "the run has written no quantized folder", "look at it with 'qatw show " + runUid + "'", "", false};
}

} // namespace

int cmdPtq(CommandLine& line) {
    SingleJob job;
    std::string method = "rtn", out;
    line.positional("MODEL", job.model, "a Hugging Face folder");
    line.option("--scheme", job.scheme, "preset, e.g. 8da4w, int4_weight_only", true);
    line.option("--method", method, "rtn | mse");
    line.option("--out", out, "folder for the quantized model; must be new or empty", true);
    job.declareEval(line);
    job.declareCommon(line);
    if (const auto done = line.parse()) return *done;
    if (method != "rtn" && method != "mse")
        return fail(Error{"usage", "--method is '" + method + "'", "use rtn or mse", "", false}, job.json);
    std::error_code error;
    if (std::filesystem::exists(out, error) && !std::filesystem::is_empty(out, error))
        return fail(Error{"file.unsafe", out + " exists and is not empty", "choose another --out, or remove it first", "", false},
                    job.json);
    auto recipe = recipeOf(job);
    if (!recipe) return fail(recipe.error(), job.json);
    if (!job.dtype.empty()) recipe->precision.exportDtype = job.dtype;
    auto store = store::Store::open(projectFolder(job.project));
    if (!store) return fail(store.error(), job.json);
    records::RunIdentity identity;
    identity.kind = "ptq";
    identity.role = records::RowRole::Ptq;
    identity.name = std::filesystem::path(recipe->model.path).filename().string() + " " + job.scheme + " PTQ " + method;
    identity.scheme = job.scheme;
    identity.method = method;
    identity.modelPath = recipe->model.path;
    const auto finished = runSingle(*store, identity, *recipe, false);
    if (!finished) return fail(finished.error(), job.json);
    const auto native = nativeOf(*store, finished->run.identity.uid);
    if (!native) return fail(native.error(), job.json);
    if (const auto copied = drive::copyFolder(finished->run.dir / native->path, out, false); !copied) return fail(copied.error(), job.json);
    const auto layers = store->layers(finished->run.identity.uid);
    if (!layers) return fail(layers.error(), job.json);
    nlohmann::ordered_json skipped = nlohmann::ordered_json::array();
    for (const auto& layer : *layers)
        if (!layer.skipReason.empty()) skipped.push_back({{"name", layer.name}, {"reason", layer.skipReason}});
    const auto facts = finished->run.model.value_or(wire::ModelFacts{});
    if (job.json) {
        const nlohmann::ordered_json written{{"path", out},          {"bytes", native->bytes},
                                             {"hash", native->hash}, {"bits_per_weight", facts.bitsPerWeight},
                                             {"method", method},     {"skipped", skipped}};
        std::cout << resultsJson(*finished, "out", written.dump()) << '\n';
        return 0;
    }
    std::printf("%s: %lld bytes of weights, %.4g bits per weight over the quantized matrices\n", out.c_str(),
                static_cast<long long>(native->bytes), facts.bitsPerWeight);
    for (const auto& layer : skipped)
        std::printf("  not quantized: %s (%s)\n", layer["name"].get<std::string>().c_str(), layer["reason"].get<std::string>().c_str());
    std::fflush(stdout);
    printResults(*finished);
    return 0;
}

} // namespace qw::cli
