// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run_engine.h"

#include "base/build_info.h"
#include "base/digest.h"
#include "base/files.h"
#include "config/recipe_file.h"
#include "engine/crash.h"
#include "engine/device.h"
#include "engine/faults.h"
#include "engine/guard.h"
#include "engine/job.h"
#include "engine/server.h"
#include "engine/tasks_queue.h"
#include "wire/protocol.h"
#include "wire/run_folder.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>
#include <unistd.h>

namespace qw::engine {
namespace fs = std::filesystem;
namespace {

using records::RunState;

constexpr int64_t kLogSyncMs = 30'000;

int fail(const Error& error) {
    std::cerr << "qat-engine: " << error.message << "  [" << error.code << "]\n";
    return exitCode(error.code);
}

int64_t milliseconds(const char* variable, int64_t otherwise) {
    const char* text = std::getenv(variable);
    const int64_t value = text ? std::strtoll(text, nullptr, 10) : 0;
    return value > 0 ? value : otherwise;
}

ServerLimits limits() {
    ServerLimits l;
    l.heartbeatMs = milliseconds("QATW_HEARTBEAT_MS", l.heartbeatMs);
    l.stopDeadlineMs = milliseconds("QATW_STOP_DEADLINE_MS", l.stopDeadlineMs);
    return l;
}

wire::Hello hello() {
    wire::Hello h = wire::engineHello();
    h.libtorch = libtorchVersion();
    h.cuda = devices().driver;
    h.devices = devices().names;
    h.features = {"attach", "pause", "checkpoint", "plan", "logits", "generate", "bench"};
    return h;
}

Result<JobInput> prepare(const wire::RunFolder& folder, EventHub& hub, CancelToken& cancel) {
    QW_TRY(auto identity, wire::readIdentity(folder));
    QW_TRY(const std::string text, readFile(folder.resolvedConfig(), 1 << 20));
    QW_TRY(auto recipe, config::parseRecipe(text, folder.resolvedConfig()));
    Journal journal;
    wire::EventLogReader reader(folder.events());
    std::error_code error;
    if (fs::exists(folder.events(), error)) {
        QW_TRY(const auto events, reader.readAfter(0));
        for (const auto& event : events) journal.add(event);
    }
    return JobInput{folder.dir, std::move(identity), std::move(recipe), xxh3Hex(text), std::move(journal), hub.sink(), cancel};
}

// A run whose training has not ended yet.
bool trains(const JobInput& input) {
    const bool kind = input.identity.kind == "train" || input.identity.kind == "qat";
    return kind && !input.journal.hasArtifact(input.runDir, "model");
}

// train.set: every key but "run" is a cadence. The echo says what was taken.
Result<std::string> setLive(train::LiveSettings& live, const std::string& params) {
    const auto json = nlohmann::json::parse(params, nullptr, false);
    train::LiveSettings::Values values;
    for (const auto& [key, value] : json.items()) {
        if (key == "run") continue;
        if (!value.is_number()) return Error{"config.invalid", "train.set: " + key + " is not a number", "", "", false};
        values.emplace_back(key, value.get<double>());
    }
    QW_CHECK(live.ask(values));
    nlohmann::json echo = json;
    echo.erase("run");
    return nlohmann::json{{"accepted", true}, {"values", std::move(echo)}}.dump();
}

// The job thread: everything of torch happens here. Its last act is to tell the control thread the exit code.
void work(JobInput& input, Server& server) {
    nameThread("job");
    const wire::Sink emit = input.emit;
    emit(wire::StateChange{RunState::Starting, "", ""});
    const auto end = guarded([&] { return runJob(input); });
    int code = 0;
    if (end && *end == JobEnd::Completed)
        emit(wire::StateChange{RunState::Completed, "", ""});
    else if (end || end.error().code == "engine.cancelled")
        emit(wire::StateChange{RunState::Stopped, "", "on request"});
    else {
        const Error& error = end.error();
        code = exitCode(error.code);
        emit(wire::Notice{true, error.code, error.message, error.hint, error.detail});
        emit(wire::StateChange{RunState::Failed, "", error.message});
    }
    setPlace("ended");
    server.finish(code, code == 0 ? "done" : "failed");
}

// A completed run may be asked for further tasks.
bool allMeasured(const JobInput& input) {
    return std::ranges::all_of(input.recipe.eval.tasks, [&](const records::EvalTask& task) {
        return std::ranges::any_of(input.journal.evals,
                                   [&](const wire::EvalDone& done) { return done.result.task == task.name && done.result.atStep < 0; });
    });
}

} // namespace

int runJobEngine(const RunOptions& options) {
    std::error_code error;
    const wire::RunFolder folder{fs::absolute(options.runDir, error).lexically_normal()};
    if (!fs::exists(folder.identity(), error))
        return fail(Error{"file.not_found", folder.dir.string() + " is no run folder: run.json is missing", "", "", false});
    auto lock = wire::takeRunLock(folder);
    if (!lock) return fail(lock.error());
    std::optional<wire::LockFile> jobLock;
    if (!options.jobLock.empty()) {
        auto taken = wire::LockFile::take(options.jobLock);
        if (!taken) return fail(taken.error());
        jobLock = *std::move(taken);
    }
    const fs::path output = folder.logs() / "engine.stderr";
    if (const auto made = makeDirs(folder.logs()); !made) return fail(made.error());
    if (const auto redirected = redirectOutputTo(output); !redirected) return fail(redirected.error());
    installCrashHandler(folder.dir);
    volunteerForOomKill();
    const auto signals = openSignals(true);
    if (!signals) return fail(signals.error());
    nameThread("control");

    EventHub hub;
    CancelToken cancel;
    auto log = wire::EventLogWriter::open(folder.events());
    if (!log) return fail(log.error());
    auto input = prepare(folder, hub, cancel);
    Server server(hub, cancel, hello(), limits());
    const std::string uid = input ? input->identity.uid : std::string();
    if (log->cutBytes() > 0) hub.emit(wire::Notice{false, "file.corrupt", "the end of events.qlog was damaged and cut off", "", ""});
    server.setRun(uid, folder.dir, *std::move(log));
    server.watchSignals(*signals);
    server.watchOutput(output);
    if (lock->takenOver().pid != 0)
        hub.emit(wire::LogLine{2, "run.lock was left behind by process " + std::to_string(lock->takenOver().pid) + " and is taken over"});
    if (!input) {
        hub.emit(wire::Notice{true, input.error().code, input.error().message, input.error().hint, input.error().detail});
        hub.emit(wire::StateChange{RunState::Failed, "", input.error().message});
        server.finish(exitCode(input.error().code), "failed");
        return server.loop();
    }
    if (const auto listening = server.listen(); !listening)
        hub.emit(wire::Notice{false, listening.error().code, "no client can attach: " + listening.error().message, "", ""});
    if (input->journal.completed() && allMeasured(*input)) { // nothing left to do: say so again to whoever asks
        server.finish(0, "already completed");
        return server.loop();
    }
    reportFaults(hub.sink());
    input->checkpointRequested = &server.checkpointRequested();
    train::LiveSettings live(input->recipe, input->journal.settings);
    if (!trains(*input)) live.close();
    input->live = &live;
    input->syncLog = [&hub] { return hub.sync(kLogSyncMs); };
    server.addHandler("train.set", [&live](const wire::Request& request) { return setLive(live, request.params); });
    std::thread job([&] { work(*input, server); });
    server.setBeat([&] { lock->beat(); });
    const int code = server.loop();
    job.join();
    fs::remove(folder.ballast(), error);
    return code;
}

int runStdioEngine() {
    dieWithParent();
    auto protocol = takeProtocolDescriptor();
    if (!protocol) return fail(protocol.error());
    installCrashHandler({});
    volunteerForOomKill();
    const auto signals = openSignals(false);
    if (!signals) return fail(signals.error());
    nameThread("control");
    EventHub hub;
    CancelToken cancel;
    Server server(hub, cancel, hello(), limits());
    server.watchSignals(*signals);
    server.adopt(STDIN_FILENO, *protocol);
    TaskQueue tasks(hub, cancel);
    tasks.offerTo(server);
    reportFaults(hub.sink());
    const int code = server.loop();
    tasks.stop();
    return code;
}

} // namespace qw::engine
