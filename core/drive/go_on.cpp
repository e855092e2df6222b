// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/go_on.h"

#include "base/files.h"
#include "config/recipe_file.h"
#include "drive/single_run.h"
#include "drive/supervisor.h"
#include "study/keys.h"
#include "wire/event_log.h"
#include "wire/run_marks.h"

#include <algorithm>
#include <unistd.h>

namespace qw::drive {
namespace fs = std::filesystem;
namespace {

std::optional<fs::path> checkpointOf(const wire::RunFolder& folder, int64_t step) {
    std::error_code error;
    fs::path path = folder.checkpoints() / wire::checkpointName(step);
    if (!fs::exists(path / wire::kCheckpointManifest, error)) return std::nullopt;
    return path;
}

Result<records::Recipe> recipeOf(const store::RunInfo& run) { return config::parseRecipe(run.config, run.dir / "config.resolved.json"); }

// What was measured up to this step; points that a later start replaced are left out.
Result<std::vector<wire::Event>> curvesUpTo(const wire::RunFolder& folder, int64_t step) {
    const auto stepOfEvent = [](const wire::Event& event) -> int64_t {
        if (const auto* metrics = std::get_if<wire::Metrics>(&event.payload)) return metrics->step;
        if (const auto* layer = std::get_if<wire::LayerStats>(&event.payload)) return layer->step;
        return -1;
    };
    wire::EventLogReader reader(folder.events());
    QW_TRY(auto events, reader.readAfter(0));
    std::vector<wire::Event> kept;
    for (auto& event : events) {
        if (const auto* attempt = std::get_if<wire::Attempt>(&event.payload))
            std::erase_if(kept, [&](const wire::Event& old) { return stepOfEvent(old) >= attempt->fromStep; });
        else if (const int64_t at = stepOfEvent(event); at >= 0 && at <= step)
            kept.push_back(std::move(event));
    }
    return kept;
}

Status copyCurves(const wire::RunFolder& from, const wire::RunFolder& to, const std::string& uid, int64_t step) {
    QW_TRY(auto events, curvesUpTo(from, step));
    QW_TRY(auto log, wire::EventLogWriter::open(to.events()));
    for (auto& event : events) {
        event.run = uid;
        auto appended = log.append(event);
        if (!appended) return std::move(appended).error();
    }
    return log.sync();
}

} // namespace

Status rewindRun(const wire::RunFolder& folder, int64_t step) {
    const auto lock = wire::takeRunLock(folder); // no engine starts meanwhile
    if (!lock) return lock.error();
    if (!checkpointOf(folder, step))
        return Error{"engine.state", "there is no checkpoint of step " + std::to_string(step) + " in " + folder.checkpoints().string(),
                     "choose one that 'qatw show' lists", "", false};
    std::error_code error;
    for (const int64_t newer : wire::checkpointSteps(folder.checkpoints())) {
        if (newer <= step) continue;
        const auto path = checkpointOf(folder, newer);
        if (!path) continue;
        // Out of sight in one step; what cannot be removed is cleaned up by the next engine.
        const fs::path gone = path->string() + ".trash-" + std::to_string(::getpid());
        fs::rename(*path, gone, error);
        if (error) return errnoError(error.value(), "rename", *path);
        fs::remove_all(gone, error);
    }
    return fsyncDir(folder.checkpoints());
}

Result<wire::RunFolder> extendRun(store::Store& store, const store::RunInfo& run, int64_t steps) {
    const wire::RunFolder old{run.dir};
    if (wire::isLive(old)) return Error{"engine.busy", "'" + run.identity.name + "' is running", "stop it first", {}, true};
    if (steps < 1) return Error{"usage", "a run is extended by one step at least", "name a number of steps above 0", "", false};
    if (run.identity.kind != "train" && run.identity.kind != "qat")
        return Error{"engine.state", "'" + run.identity.name + "' was not trained", "extend a trained run", "", false};
    const auto known = wire::checkpointSteps(old.checkpoints());
    if (known.empty())
        return Error{"engine.state", "'" + run.identity.name + "' has no checkpoint left to go on from",
                     "train it again with more steps: Duplicate makes a recipe of it", "", false};
    const int64_t step = known.back();
    QW_TRY(records::Recipe recipe, recipeOf(run));
    recipe.train.maxSteps = std::max({run.totalSteps, recipe.train.maxSteps, step}) + steps;
    records::RunIdentity identity = run.identity;
    identity.uid.clear();
    identity.createdMs = 0;
    identity.key.clear(); // no study asked for these steps
    identity.block = study::blockDigest(recipe);
    identity.parentUid = run.identity.uid;
    identity.notes.clear();
    identity.name += " +" + std::to_string(steps);
    QW_TRY(const wire::RunFolder made, makeRun(store.project(), identity, recipe, ""));
    const auto from = checkpointOf(old, step);
    Status copied = wire::writeMarks(made, {0, true});
    if (copied) copied = copyFolder(*from, made.checkpoints() / from->filename(), true);
    if (copied) copied = copyCurves(old, made, identity.uid, step);
    if (copied) {
        const auto ingested = store.ingestRun(made);
        if (!ingested) copied = ingested.error();
    }
    if (copied) return made;
    std::error_code error; // nothing half-made stays
    fs::remove(made.identity(), error);
    fs::remove_all(made.dir, error);
    return copied.error();
}

Result<std::vector<std::string>> addTasks(const store::Store& store, const store::RunInfo& run,
                                          const std::vector<records::EvalTask>& tasks) {
    const wire::RunFolder folder{run.dir};
    const auto lock = wire::takeRunLock(folder);
    if (!lock) return lock.error();
    QW_TRY(records::Recipe recipe, recipeOf(run));
    QW_TRY(const auto results, store.results(run.identity.uid));
    std::vector<std::string> missing;
    for (const records::EvalTask& task : tasks) {
        const bool measured = std::ranges::any_of(
            results, [&](const store::StoredResult& stored) { return stored.result.task == task.name && stored.result.atStep < 0; });
        if (measured || std::ranges::find(missing, task.name) != missing.end()) continue;
        missing.push_back(task.name);
        const bool asked = std::ranges::any_of(recipe.eval.tasks, [&](const auto& own) { return own.name == task.name; });
        if (!asked) recipe.eval.tasks.push_back(task);
    }
    if (!missing.empty()) QW_CHECK(writeFileAtomic(folder.resolvedConfig(), config::writeRecipe(recipe)));
    return missing;
}

} // namespace qw::drive
