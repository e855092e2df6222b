// SPDX-License-Identifier: GPL-3.0-or-later
#include "background.h"
#include "base/files.h"
#include "drive/export_run.h"
#include "drive/single_run.h"
#include "project_store.h"
#include "single_job.h"
#include "wire/json_events.h"

#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

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

struct EvalCommand {
    SingleJob job;
    std::string items, of;
    bool detach = false;
};

// Named and set up by the options.
Result<drive::Evaluation> byOptions(const SingleJob& job) {
    if (job.tasks.empty())
        return Error{"usage", "there is nothing to evaluate", "add --task hellaswag=FILE or --task wikitext=FILE", "", false};
    drive::Evaluation out;
    QW_TRY(out.recipe, recipeOf(job));
    out.identity.kind = "eval";
    out.identity.name = std::filesystem::path(out.recipe.model.path).filename().string() + (job.scheme.empty() ? "" : " " + job.scheme);
    out.identity.role = records::RowRole::Float;
    out.identity.scheme = job.scheme;
    out.identity.modelPath = out.recipe.model.path;
    return out;
}

// As the run was evaluated that the folder was written from.
Result<drive::Evaluation> asItsRun(const EvalCommand& command, const store::Store& store) {
    const SingleJob& job = command.job;
    if (!job.tasks.empty() || !job.scheme.empty() || !job.dtype.empty() || job.limit != 0 || job.maxLength != 0 || job.bos != "auto")
        return Error{"usage", "--of takes tasks and settings from the run", "leave --task, --scheme, --limit, --bos, … out", "", false};
    QW_TRY(const auto run, store.run(command.of));
    QW_TRY(const auto artifacts, store.artifacts(run.identity.uid));
    QW_TRY(auto out, drive::evaluationOf(run, artifacts, job.model));
    if (job.device != "auto") out.recipe.device = job.device;
    if (job.threads > 0) out.recipe.threads = job.threads;
    return out;
}

Status report(const EvalCommand& command, const store::Store& store, const FinishedJob& finished) {
    if (!command.items.empty()) QW_CHECK(writeItems(store, finished, command.items));
    if (command.job.json)
        std::cout << resultsJson(finished) << '\n';
    else
        printResults(finished);
    return {};
}

// The run exists when this returns; a process of its own evaluates when it is its turn.
int detach(const EvalCommand& command, const wire::RunFolder& folder, const std::string& uid) {
    const auto child = goOnInBackground(folder.logs() / "driver.log", [&] {
        auto store = store::Store::open(projectFolder(command.job.project));
        if (!store) return fail(store.error(), false);
        const auto finished = driveSingle(*store, folder, uid, false, true);
        if (!finished) return fail(finished.error(), false);
        EvalCommand own = command;
        own.job.json = false;
        const auto reported = report(own, *store, *finished);
        return reported ? 0 : fail(reported.error(), false);
    });
    if (!child) return fail(child.error(), command.job.json);
    if (command.job.json)
        std::cout << nlohmann::json{{"run", uid}, {"dir", folder.dir.string()}, {"pid", *child}}.dump() << '\n';
    else
        std::cout << "run " << uid << " is evaluated in the background (process " << *child << ")\n";
    return 0;
}

Result<int> evaluate(const EvalCommand& command) {
    std::optional<drive::Evaluation> wanted;
    if (command.of.empty()) {
        QW_TRY(wanted, byOptions(command.job));
    }
    wire::RunFolder folder;
    std::string uid;
    {
        QW_TRY(auto store, store::Store::open(projectFolder(command.job.project)));
        if (!wanted) {
            QW_TRY(wanted, asItsRun(command, store));
        }
        if (!command.detach) {
            QW_TRY(const auto finished, runSingle(store, wanted->identity, wanted->recipe, false));
            QW_CHECK(report(command, store, finished));
            return 0;
        }
        if (store.readOnly())
            return Error{"file.permission", "the project " + store.project().string() + " is read-only", "use another --project", "",
                         false};
        QW_TRY(folder, drive::makeRun(store.project(), wanted->identity, wanted->recipe, ""));
        QW_TRY(const auto ingested, store.ingestRun(folder));
        static_cast<void>(ingested);
        uid = wanted->identity.uid;
    } // no open database goes through fork
    return detach(command, folder, uid);
}

} // namespace

int cmdEval(CommandLine& line) {
    EvalCommand command;
    SingleJob& job = command.job;
    line.positional("MODEL", job.model, "a Hugging Face folder, or one that qatw exported");
    job.declareEval(line);
    line.option("--scheme", job.scheme, "preset: evaluate with fake quantization");
    line.option("--of", command.of, "run that MODEL was exported from: its tasks and settings, a row beside it in compare");
    line.option("--items", command.items, "write every item's scores as JSON lines");
    line.flag("--detach", command.detach, "wait for its turn and evaluate in the background, outliving this terminal");
    job.declareCommon(line);
    if (const auto done = line.parse()) return *done;
    const auto done = evaluate(command);
    return done ? *done : fail(done.error(), job.json);
}

} // namespace qw::cli
