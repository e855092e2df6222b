// SPDX-License-Identifier: GPL-3.0-or-later
// What: pause, resume, stop, checkpoint, set: one request to the engine of a run, or to the supervisor of a study.
#include "command_line.h"
#include "drive/control.h"
#include "drive/go_on.h"
#include "project_store.h"
#include "single_job.h"

#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

struct Control {
    std::string op; // pause | resume | stop | checkpoint | set
    std::string token, project;
    nlohmann::json params = nlohmann::json::object();
    int64_t from = -1; // resume: step of the checkpoint; below 0: the newest
    bool wait = false; // resume: for the end of another job
    bool json = false;
};

// An ended run that can go on: its engine is started again and watched.
Result<std::string> restart(store::Store& store, const store::RunInfo& run, int64_t from, bool wait) {
    if (run.state == records::RunState::Completed)
        return Error{"engine.state", "run " + run.identity.uid + " is completed", "'qatw extend' gives it more steps", "", false};
    if (from >= 0) QW_CHECK(drive::rewindRun(wire::RunFolder{run.dir}, from));
    return driveAgain(store, wire::RunFolder{run.dir}, wait);
}

Result<std::string> perform(const Control& control) {
    QW_TRY(auto store, openProject(control.project));
    const auto run = store.run(control.token);
    if (run) {
        const wire::RunFolder folder{run->dir};
        if (wire::isLive(folder) && control.from >= 0)
            return Error{"engine.busy", "run " + run->identity.uid + " is working", "stop it first, then resume it from a checkpoint", "",
                         true};
        if (wire::isLive(folder)) return drive::controlRun(folder, control.op, control.params.dump());
        if (control.op == "resume") return restart(store, *run, control.from, control.wait);
        return Error{"engine.state", "run " + run->identity.uid + " is " + records::stateName(run->state) + ": no engine works on it",
                     "'qatw runs' lists the runs", "", false};
    }
    const auto study = store.study(control.token);
    if (!study) return run.error();
    if (control.op == "set")
        return Error{"usage", control.token + " is a study; its runs are changed one by one", "'qatw runs' lists them", "", false};
    if (!wire::isLockLive(study->dir / "study.lock"))
        return Error{"engine.state", "nobody drives the study '" + study->name + "'", "'qatw run RECIPE' on the same recipe continues it",
                     "", false};
    return drive::controlStudy(study->dir, control.op, control.params.dump());
}

// flag: one switch of this command's own; its parameters are made once it is known.
int tell(const Control& wanted) {
    const auto answer = perform(wanted);
    if (!answer) return fail(answer.error(), wanted.json);
    if (wanted.json) {
        std::cout << *answer << '\n';
        return 0;
    }
    const auto body = nlohmann::json::parse(*answer, nullptr, false);
    std::string said = body.is_object() ? body.value("state", "accepted") : "accepted";
    if (body.is_object() && body.contains("values")) {
        said.clear();
        for (const auto& [key, value] : body["values"].items()) said += (said.empty() ? "" : " ") + key + "=" + value.dump();
    }
    std::cout << wanted.op << ": " << said << '\n';
    return 0;
}

int control(CommandLine& line, const std::string& op, const char* flag, const char* flagHelp,
            const std::function<nlohmann::json(bool)>& params) {
    Control wanted;
    wanted.op = op;
    bool set = false;
    line.positional("RUN", wanted.token, "run or study, by id, start of an id, or name");
    if (flag) line.flag(flag, set, flagHelp);
    if (op == "resume") {
        line.option("--from", wanted.from, "step of the checkpoint to go on from; newer ones are removed; -1: the newest");
        line.flag("--wait", wanted.wait, "until another job of the project has ended");
    }
    line.option("--project", wanted.project, "project folder");
    line.flag("--json", wanted.json, "one JSON object");
    if (const auto done = line.parse()) return *done;
    if (params) wanted.params = params(set);
    return tell(wanted);
}

// key=value with a number behind it.
Result<nlohmann::json> settings(const std::vector<std::string>& pairs) {
    nlohmann::json values = nlohmann::json::object();
    for (const std::string& pair : pairs) {
        const size_t at = pair.find('=');
        const auto value = at == std::string::npos ? nlohmann::json() : nlohmann::json::parse(pair.substr(at + 1), nullptr, false);
        if (!value.is_number()) return Error{"usage", "'" + pair + "' is not key=number", "for example checkpoint.every=50", "", false};
        values[pair.substr(0, at)] = value;
    }
    return values;
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
int cmdSet(CommandLine& line) {
    Control wanted;
    wanted.op = "set";
    std::vector<std::string> pairs;
    line.positional("RUN", wanted.token, "run, by id, start of an id, or name");
    line.positionals("KEY=VALUE", pairs, "log.every, log.layer_every, eval.every or checkpoint.every, in steps", true);
    line.option("--project", wanted.project, "project folder");
    line.flag("--json", wanted.json, "one JSON object");
    if (const auto done = line.parse()) return *done;
    const auto values = settings(pairs);
    if (!values) return fail(values.error(), wanted.json);
    wanted.params = *values;
    return tell(wanted);
}
int cmdCheckpoint(CommandLine& line) { return control(line, "checkpoint", nullptr, nullptr, {}); }

} // namespace qw::cli
