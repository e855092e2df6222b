// SPDX-License-Identifier: GPL-3.0-or-later
// What: extend and measure: more steps, or more tasks, for a run that exists.
#include "command_line.h"
#include "config/recipe_file.h"
#include "drive/go_on.h"
#include "project_store.h"
#include "single_job.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

Result<std::string> extend(const std::string& token, int64_t steps, const std::string& project) {
    QW_TRY(auto store, openProject(project));
    QW_TRY(const auto run, store.run(token));
    QW_TRY(const auto folder, drive::extendRun(store, run, steps));
    QW_TRY(const auto identity, wire::readIdentity(folder));
    std::cerr << "run " << identity.uid << " goes on from step " << wire::checkpointSteps(folder.checkpoints()).back() << '\n';
    return driveAgain(store, folder, true);
}

// Task names that were measured, as JSON.
Result<std::string> measure(const std::string& token, const std::vector<std::string>& like, const std::string& project) {
    QW_TRY(auto store, openProject(project));
    QW_TRY(const auto run, store.run(token));
    std::vector<records::EvalTask> tasks;
    for (const std::string& other : like) {
        QW_TRY(const auto model, store.run(other));
        QW_TRY(const auto recipe, config::parseRecipe(model.config, model.dir / "config.resolved.json"));
        tasks.insert(tasks.end(), recipe.eval.tasks.begin(), recipe.eval.tasks.end());
    }
    QW_TRY(const auto missing, drive::addTasks(store, run, tasks));
    if (!missing.empty()) {
        QW_TRY(const std::string end, driveAgain(store, wire::RunFolder{run.dir}, true));
        static_cast<void>(end);
    }
    return nlohmann::json{{"run", run.identity.uid}, {"measured", missing}}.dump();
}

int answer(const Result<std::string>& done, bool json, const char* key) {
    if (!done) return fail(done.error(), json);
    if (json)
        std::cout << *done << '\n';
    else {
        const auto body = nlohmann::json::parse(*done, nullptr, false);
        std::cout << key << ": " << (body.contains(key) ? body[key].dump() : std::string("done")) << '\n';
    }
    return 0;
}

} // namespace

int cmdExtend(CommandLine& line) {
    std::string token, project;
    int64_t steps = 0;
    bool json = false;
    line.positional("RUN", token, "trained run, by id, start of an id, or name");
    line.option("--steps", steps, "how many more");
    line.option("--project", project, "project folder");
    line.flag("--json", json, "one JSON object");
    if (const auto done = line.parse()) return *done;
    return answer(extend(token, steps, project), json, "state");
}

int cmdMeasure(CommandLine& line) {
    std::string token, project;
    std::vector<std::string> like;
    bool json = false;
    line.positional("RUN", token, "run, by id, start of an id, or name");
    line.option("--like", like, "a run whose tasks are wanted, with their files and limits; may be repeated");
    line.option("--project", project, "project folder");
    line.flag("--json", json, "one JSON object");
    if (const auto done = line.parse()) return *done;
    if (like.empty())
        return fail(Error{"usage", "there is nothing to measure", "name a run that has the tasks: --like RUN", "", false}, json);
    return answer(measure(token, like, project), json, "measured");
}

} // namespace qw::cli
