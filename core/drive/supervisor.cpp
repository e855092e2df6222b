// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/supervisor.h"

#include "base/build_info.h"
#include "base/files.h"
#include "config/recipe_file.h"
#include "drive/engine_client.h"
#include "drive/engine_process.h"
#include "drive/locate.h"
#include "drive/queue.h"
#include "drive/single_run.h"
#include "study/keys.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

namespace qw::drive {
namespace fs = std::filesystem;
namespace {

struct EngineFacts {
    std::string buildId;
    bool cuda = false;
};

// One short start: is it of our build, and does it see a GPU?
Result<EngineFacts> askEngine() {
    QW_TRY(const fs::path engine, findEngine());
    QW_TRY(auto stdio, EngineProcess::startStdio(engine));
    auto client = EngineClient::greet(wire::fdTransport(stdio.fromEngine, stdio.toEngine), 30'000);
    if (!client) {
        stdio.process.kill(SIGKILL);
        Error error = std::move(client).error();
        if (error.code == "engine.lost") error.message = engine.string() + " did not start: " + stdio.errorText();
        return error;
    }
    EngineFacts facts{client->hello().buildId, client->hello().devices.size() > 1};
    static_cast<void>(client->request("shutdown", "{}", 2000));
    return facts;
}

std::string deviceKind(const records::Recipe& recipe, const EngineFacts& engine) {
    if (recipe.device == "auto") return engine.cuda ? "cuda" : "cpu";
    return recipe.device.substr(0, recipe.device.find(':'));
}

} // namespace

Result<study::Study> openOrCreateStudy(store::Store& store, const records::Recipe& recipe, const std::string& text,
                                       const std::vector<std::string>& sets, bool& continued) {
    continued = false;
    if (const auto found = study::findStudy(store.project(), recipe)) {
        auto opened = study::openStudy(*found);
        if (opened) {
            continued = true;
            return opened;
        }
    }
    QW_TRY(auto made, study::makeStudy(recipe, text, sets));
    QW_TRY(const auto info, store.createStudy(recipe.name.empty() ? "study" : recipe.name));
    QW_CHECK(study::writeStudy(made, info.uid, info.dir, info.createdMs));
    return made;
}

Result<wire::LockFile> takeStudyLock(const study::Study& study) {
    auto lock = wire::LockFile::take(study.dir / "study.lock");
    if (lock || lock.error().code != "engine.busy") return lock;
    const auto holder = wire::readLockHolder(study.dir / "study.lock");
    return Error{"engine.busy", "process " + std::to_string(holder.pid) + " drives the study '" + study.name + "' already",
                 "watch it with 'qatw run … --follow', or stop it with 'qatw stop'", "", true};
}

const study::Row* Supervisor::parentOf(const study::Row& row) const {
    if (row.member.parent.empty()) return nullptr;
    const auto found = std::ranges::find_if(m_study.rows, [&](const study::Row& other) { return other.member.id == row.member.parent; });
    return found == m_study.rows.end() ? nullptr : &*found;
}

// A row whose key is no longer that of its run (another engine build, changed files) gets a new run.
Status Supervisor::prepareKeys() {
    QW_TRY(const EngineFacts engine, askEngine());
    QW_TRY(const study::Facts facts, study::gatherFacts(m_study.recipe, deviceKind(m_study.recipe, engine), engine.buildId));
    for (study::Row& row : m_study.rows) { // parents come first
        const study::Row* parent = parentOf(row);
        const std::string key = study::memberKey(row.member, facts, parent ? parent->member.run.key : std::string());
        if (!row.runUid.empty() && row.member.run.key != key) {
            row.runUid.clear();
            row.reused = false;
        }
        row.member.run.key = key;
    }
    return study::saveStudy(m_study);
}

Status Supervisor::remember(const study::Row& row) {
    const auto& run = row.member.run;
    QW_CHECK(m_store.putStudyRow({m_study.uid, run.role, run.scheme, run.method, run.block, run.seed, row.runUid}));
    return study::saveStudy(m_study);
}

// Facts of another study, or of an earlier run of this one.
Result<bool> Supervisor::reuse(study::Row& row) {
    QW_TRY(const auto found, m_store.findCompleted(row.member.run.key));
    if (!found) return false;
    row.runUid = found->identity.uid;
    row.reused = found->identity.studyUid != m_study.uid;
    QW_CHECK(remember(row));
    return true;
}

Status Supervisor::makeFolder(study::Row& row, wire::RunFolder& folder) {
    records::RunIdentity identity = row.member.run;
    identity.studyUid = m_study.uid;
    identity.studyName = m_study.name;
    if (const study::Row* parent = parentOf(row)) {
        QW_TRY(const auto info, m_store.run(parent->runUid));
        identity.parentUid = parent->runUid;
        identity.modelPath = wire::RunFolder{info.dir}.model().string();
    }
    QW_TRY(folder, makeRun(m_store.project(), identity, row.member.recipe, m_study.recipeText));
    row.runUid = identity.uid;
    row.reused = false;
    auto ingested = m_store.ingestRun(folder); // the row exists in the store before it starts
    if (!ingested) return std::move(ingested).error();
    return remember(row);
}

Result<bool> Supervisor::awaitTurn() {
    std::string told;
    for (;;) {
        if (m_watch.run.wish && m_watch.run.wish() != Wish::GoOn) return false;
        QW_TRY(std::string why, whyWait(m_store, m_study.uid));
        if (why.empty()) return true;
        if (why != told && m_watch.run.onNote) m_watch.run.onNote("waiting: " + why);
        told = std::move(why);
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

Status Supervisor::runRow(size_t index, StudyReport& report) {
    study::Row& row = m_study.rows[index];
    RowReport& out = report.rows[index];
    const auto say = [&](const std::string& what) {
        if (m_watch.onRow) m_watch.onRow(index, m_study.rows.size(), row, what);
    };
    const auto done = [&](RowEnd end, const std::string& word) {
        out.end = end;
        out.runUid = row.runUid;
        say(word);
        return Status();
    };
    wire::RunFolder folder;
    bool fresh = row.runUid.empty();
    if (!fresh) {
        const auto info = m_store.run(row.runUid);
        fresh = !info;
        if (info) folder.dir = info->dir;
        if (info && info->state == records::RunState::Completed) return done(row.reused ? RowEnd::Reused : RowEnd::Done, "done before");
    }
    if (fresh) {
        QW_TRY(const bool reused, reuse(row));
        if (reused) return done(RowEnd::Reused, "reused");
    }
    if (const study::Row* parent = parentOf(row)) {
        const size_t at = static_cast<size_t>(parent - m_study.rows.data());
        if (report.rows[at].end != RowEnd::Done && report.rows[at].end != RowEnd::Reused) {
            out.error = Error{"engine.state", "'" + row.member.run.name + "' needs '" + parent->member.run.name + "', which did not finish",
                              "", "", false};
            return done(RowEnd::NoParent, "left out: " + out.error->message);
        }
    }
    if (fresh || !wire::isLive(folder)) {
        QW_TRY(const bool go, awaitTurn());
        if (!go) {
            report.stopped = true;
            return done(RowEnd::NotRun, "stopped");
        }
    }
    if (fresh) QW_CHECK(makeFolder(row, folder));
    say(fresh ? "starting" : wire::isLive(folder) ? "attaching" : "continuing");
    QW_TRY(const RunEnd end, driveRun(m_store, folder, m_watch.run, true));
    if (end.left || end.state == records::RunState::Stopped) {
        report.stopped = true;
        return done(RowEnd::NotRun, "stopped");
    }
    if (end.state == records::RunState::Completed) return done(RowEnd::Done, "done");
    out.error = end.error;
    if (report.exitCode == 0) report.exitCode = end.exitCode != 0 ? end.exitCode : 70;
    return done(RowEnd::Failed, "failed: " + (end.error ? end.error->message : std::string("unknown reason")));
}

Result<StudyReport> Supervisor::run() {
    QW_CHECK(m_store.enqueue(m_study.uid));
    QW_CHECK(m_store.sync()); // runs of a killed supervisor become interrupted, or completed
    QW_CHECK(prepareKeys());
    StudyReport report;
    for (const study::Row& row : m_study.rows)
        report.rows.push_back({row.member.id, row.member.run.name, row.runUid, RowEnd::NotRun, std::nullopt});
    for (size_t i = 0; i < m_study.rows.size() && !report.stopped; ++i) {
        if (m_watch.run.wish && m_watch.run.wish() != Wish::GoOn) {
            report.stopped = true;
            break;
        }
        QW_CHECK(runRow(i, report));
    }
    // What failed or was stopped keeps its place, to be tried again.
    const bool through =
        std::ranges::all_of(report.rows, [](const RowReport& r) { return r.end == RowEnd::Done || r.end == RowEnd::Reused; });
    if (through) QW_CHECK(m_store.dequeue(m_study.uid));
    return report;
}

} // namespace qw::drive
