// SPDX-License-Identifier: GPL-3.0-or-later
#include "background.h"
#include "command_line.h"
#include "progress.h"
#include "project_store.h"
#include "study/check.h"
#include "study_run.h"

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <thread>

namespace qw::cli {
namespace {

struct RunCommand {
    std::string recipe, project;
    std::vector<std::string> sets;
    bool follow = false, detach = false, json = false;
};

void printWarnings(const std::vector<config::Finding>& findings) {
    for (const auto& finding : findings)
        if (!finding.isError)
            std::cerr << "warning: " << finding.where << (finding.where.empty() ? "" : ": ") << finding.key << ": " << finding.message
                      << '\n';
}

// Drives the study in this process; the exit code.
int drive(store::Store& store, study::Study& study, const RunCommand& command) {
    const auto lock = drive::takeStudyLock(study);
    if (!lock) return fail(lock.error(), command.json);
    const auto report = superviseStudy(store, study);
    if (!report) return fail(report.error(), command.json);
    if (const auto printed = printStudy(store, study, &*report, command.json); !printed) return fail(printed.error(), command.json);
    if (!command.json)
        for (const auto& row : report->rows)
            if (row.error) std::cerr << "error: " << row.name << ": " << row.error->message << "  [" << row.error->code << "]\n";
    if (report->stopped && !command.json) std::cerr << "stopped; the same command continues where it was\n";
    return report->exitCode != 0 ? report->exitCode : interruptExitCode();
}

// A supervisor in a session of its own; its words go to supervisor.log in the study's folder. Returns once it holds the lock.
int detach(const study::Study& study, RunCommand command) {
    const auto log = study.dir / "supervisor.log";
    const auto started = goOnInBackground(log, [&study, command]() mutable {
        auto store = store::Store::open(projectFolder(command.project));
        auto own = study::openStudy(study.dir);
        command.json = false;
        return !store ? fail(store.error(), false) : !own ? fail(own.error(), false) : drive(*store, *own, command);
    });
    if (!started) return fail(started.error(), command.json);
    const pid_t child = *started;
    int status = 0;
    while (!wire::isLockLive(study.dir / "study.lock")) {
        if (::waitpid(child, &status, WNOHANG) == child) break; // already done, or refused
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (command.json)
        std::cout << nlohmann::json{{"study", study.uid}, {"dir", study.dir.string()}, {"pid", child}, {"log", log.string()}}.dump()
                  << '\n';
    else
        std::cout << "study " << study.uid << " runs in the background (process " << child << ")\n"
                  << "watch it: qatw run " << command.recipe << " --follow     stop it: qatw stop " << study.uid << '\n';
    return 0;
}

int follow(store::Store& store, const study::Study& study, const RunCommand& command) {
    const auto ended = followStudy(store, study.dir);
    if (!ended) return fail(ended.error(), command.json);
    if (!*ended) return interruptExitCode();
    const auto now = study::openStudy(study.dir);
    if (!now) return fail(now.error(), command.json);
    if (const auto printed = printStudy(store, *now, nullptr, command.json); !printed) return fail(printed.error(), command.json);
    return 0;
}

} // namespace

int cmdRun(CommandLine& line) {
    RunCommand command;
    line.positional("RECIPE", command.recipe, "recipe file");
    line.option("--set", command.sets, "key.path=value on top of the file; may be repeated");
    line.option("--project", command.project, "project folder");
    line.flag("--follow", command.follow, "watch a study that another process drives already");
    line.flag("--detach", command.detach, "go on in the background, outliving this terminal");
    line.flag("--json", command.json, "one JSON object at the end");
    if (const auto done = line.parse()) return *done;
    if (command.follow && command.detach)
        return fail(Error{"usage", "--follow and --detach exclude each other", "choose one", "", false}, command.json);
    const auto file = config::loadRecipe(command.recipe, command.sets);
    if (!file) return fail(file.error(), command.json);
    const auto findings = study::checkRecipe(*file);
    if (!command.json) printWarnings(findings);
    if (config::hasErrors(findings)) return fail(config::findingsError(findings), command.json);

    std::optional<study::Study> study;
    {
        auto store = store::Store::open(projectFolder(command.project));
        if (!store) return fail(store.error(), command.json);
        for (const auto& note : store->notes()) std::cerr << "note: " << note << '\n';
        if (store->readOnly())
            return fail(
                Error{"file.permission", "the project " + store->project().string() + " is read-only", "use another --project", "", false},
                command.json);
        bool continued = false;
        auto opened = drive::openOrCreateStudy(*store, file->recipe, file->text, command.sets, continued);
        if (!opened) return fail(opened.error(), command.json);
        study = *std::move(opened);
        if (continued && !command.json) std::cerr << "continuing study " << study->uid << '\n';
        const bool driven = wire::isLockLive(study->dir / "study.lock");
        if (command.follow && driven) return follow(*store, *study, command);
        if (!command.detach) return drive(*store, *study, command);
        if (driven)
            if (const auto lock = drive::takeStudyLock(*study); !lock) return fail(lock.error(), command.json);
    } // no open database goes through fork
    return detach(*study, command);
}

} // namespace qw::cli
