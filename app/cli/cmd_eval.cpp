// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/files.h"
#include "project_store.h"
#include "single_job.h"
#include "wire/json_events.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

Status writeItems(const store::Store& store, const FinishedJob& job, const std::string& path) {
    std::string text;
    for (const auto& stored : job.results) {
        QW_TRY(const auto items, store.items(stored.result.uid));
        for (const auto& item : items) {
            auto line = nlohmann::ordered_json::parse(wire::toJson(item));
            line["task"] = stored.result.task;
            text += line.dump() + '\n';
        }
    }
    return writeFileAtomic(path, text);
}

} // namespace

int cmdEval(CommandLine& line) {
    SingleJob job;
    std::string items;
    line.positional("MODEL", job.model, "a Hugging Face folder, or one that qatw exported");
    job.declareEval(line);
    line.option("--scheme", job.scheme, "preset: evaluate with fake quantization");
    line.option("--items", items, "write every item's scores as JSON lines");
    job.declareCommon(line);
    if (const auto done = line.parse()) return *done;
    if (job.tasks.empty())
        return fail(Error{"usage", "there is nothing to evaluate", "add --task hellaswag=FILE or --task wikitext=FILE", "", false},
                    job.json);
    const auto recipe = recipeOf(job);
    if (!recipe) return fail(recipe.error(), job.json);
    auto store = store::Store::open(projectFolder(job.project));
    if (!store) return fail(store.error(), job.json);
    records::RunIdentity identity;
    identity.kind = "eval";
    identity.name = std::filesystem::path(recipe->model.path).filename().string() + (job.scheme.empty() ? "" : " " + job.scheme);
    identity.role = records::RowRole::Float;
    identity.scheme = job.scheme;
    identity.modelPath = recipe->model.path;
    const auto finished = runSingle(*store, identity, *recipe, false);
    if (!finished) return fail(finished.error(), job.json);
    if (!items.empty())
        if (const auto written = writeItems(*store, *finished, items); !written) return fail(written.error(), job.json);
    if (job.json)
        std::cout << resultsJson(*finished) << '\n';
    else
        printResults(*finished);
    return 0;
}

} // namespace qw::cli
