// SPDX-License-Identifier: GPL-3.0-or-later
// What: pause, resume, stop, checkpoint: one request to the engine of a run, or to the supervisor of a study.
#include "command_line.h"
#include "drive/control.h"
#include "drive/run_driver.h"
#include "progress.h"
#include "project_store.h"

#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

struct Control {
    std::string op; // pause | resume | stop | checkpoint
    std::string token, project;
    nlohmann::json params = nlohmann::json::object();
    bool json = false;
};

// An ended run that can go on: its engine is started again and watched.
Result<std::string> restart(store::Store& store, const store::RunInfo& run) {
    if (run.state == records::RunState::Completed) return Error{"engine.state", "run " + run.identity.uid + " is completed", "", "", false};
    watchInterrupts();
    Progress progress;
    const drive::Watch watch = progress.watch();
    const wire::RunFolder folder{run.dir};
    QW_TRY(const drive::RunEnd end, drive::driveRun(store, folder, watch, false));
    progress.clear();
    if (end.error) return *end.error;
    return nlohmann::json{{"state", records::stateName(end.state)}}.dump();
}

Result<std::string> perform(const Control& control) {
    QW_TRY(auto store, openProject(control.project));
    const auto run = store.run(control.token);
    if (run) {
        const wire::RunFolder folder{run->dir};
        if (wire::isLive(folder)) return drive::controlRun(folder, control.op, control.params.dump());
        if (control.op == "resume") return restart(store, *run);
        return Error{"engine.state", "run " + run->identity.uid + " is " + records::stateName(run->state) + ": no engine works on it",
                     "'qatw runs' lists the runs", "", false};
    }
    const auto study = store.study(control.token);
    if (!study) return run.error();
    if (!wire::isLockLive(study->dir / "study.lock"))
        return Error{"engine.state", "nobody drives the study '" + study->name + "'", "'qatw run RECIPE' on the same recipe continues it",
                     "", false};
    return drive::controlStudy(study->dir, control.op, control.params.dump());
}

// flag: one switch of this command's own; its parameters are made once it is known.
int control(CommandLine& line, const std::string& op, const char* flag, const char* flagHelp,
            const std::function<nlohmann::json(bool)>& params) {
    Control wanted;
    wanted.op = op;
    bool set = false;
    line.positional("RUN", wanted.token, "run or study, by id, start of an id, or name");
    if (flag) line.flag(flag, set, flagHelp);
    line.option("--project", wanted.project, "project folder");
    line.flag("--json", wanted.json, "one JSON object");
    if (const auto done = line.parse()) return *done;
    if (params) wanted.params = params(set);
    const auto answer = perform(wanted);
    if (!answer) return fail(answer.error(), wanted.json);
    if (wanted.json)
        std::cout << *answer << '\n';
    else {
        const auto body = nlohmann::json::parse(*answer, nullptr, false);
        std::cout << op << ": " << (body.is_object() ? body.value("state", "accepted") : "accepted") << '\n';
    }
    return 0;
}

} // namespace

int cmdPause(CommandLine& line) {
    return control(line, "pause", "--release", "checkpoint and free the memory; resume starts the engine again", [](bool release) {
        return nlohmann::json{{"release", release}};
    });
}
int cmdResume(CommandLine& line) { return control(line, "resume", nullptr, nullptr, {}); }
int cmdStop(CommandLine& line) {
    return control(line, "stop", "--now", "without a checkpoint", [](bool now) {
        return nlohmann::json{{"mode", now ? "now" : "checkpoint"}};
    });
}
int cmdCheckpoint(CommandLine& line) { return control(line, "checkpoint", nullptr, nullptr, {}); }

} // namespace qw::cli
