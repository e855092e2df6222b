// SPDX-License-Identifier: GPL-3.0-or-later
#include "study_run.h"

#include "drive/control_socket.h"
#include "engine_request.h"
#include "progress.h"
#include "study/compare_text.h"
#include "study/gather.h"
#include "wire/event_log.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

namespace qw::cli {
namespace {

using Json = nlohmann::ordered_json;

const char* endWord(drive::RowEnd end) {
    switch (end) {
    case drive::RowEnd::Done:
        return "done";
    case drive::RowEnd::Reused:
        return "reused";
    case drive::RowEnd::Failed:
        return "failed";
    case drive::RowEnd::NoParent:
        return "no_parent";
    case drive::RowEnd::NotRun:
        return "not_run";
    }
    return "";
}

std::string rowHeading(size_t index, size_t count, const study::Row& row) {
    std::string text("[");
    text.append(std::to_string(index + 1)).append("/").append(std::to_string(count)).append("] ").append(row.member.run.name);
    return text;
}

// What study.sock asks for, kept until the driver takes it.
struct Requests {
    drive::Wish wish = drive::Wish::GoOn;
    bool paused = false;
    std::deque<std::string> operations;

    Result<std::string> handle(const std::string& op, const std::string& params) {
        const std::string accepted = R"({"accepted":true})";
        if (op == "ping") return Json{{"state", paused ? "paused" : "running"}}.dump();
        if (op == "study.pause" || op == "study.resume") {
            paused = op == "study.pause";
            operations.push_back(paused ? "train.pause" : "train.resume");
            return accepted;
        }
        if (op == "study.checkpoint") {
            operations.push_back("train.checkpoint");
            return accepted;
        }
        if (op == "study.stop") {
            const auto p = nlohmann::json::parse(params, nullptr, false);
            const bool now = p.is_object() && p.contains("mode") && p["mode"] == "now";
            wish = std::max(wish, now ? drive::Wish::StopNow : drive::Wish::Stop);
            paused = false;
            return accepted;
        }
        return Error{"proto.unknown_op", "a supervisor has no operation '" + op + "'", "", "", false};
    }
};

Json reportJson(const drive::StudyReport& report) {
    Json rows = Json::array();
    for (const auto& row : report.rows) {
        Json one{{"id", row.id}, {"name", row.name}, {"run", row.runUid}, {"end", endWord(row.end)}};
        if (row.error) one["error"] = {{"code", row.error->code}, {"msg", row.error->message}, {"hint", row.error->hint}};
        rows.push_back(std::move(one));
    }
    return rows;
}

} // namespace

Result<drive::StudyReport> superviseStudy(store::Store& store, study::Study& study) {
    watchInterrupts();
    Progress progress;
    Requests requests;
    QW_TRY(auto socket, drive::ControlSocket::listen(study.dir / "study.sock"));
    drive::StudyWatch watch;
    watch.run = progress.watch();
    const auto keys = watch.run.wish;
    const auto poll = [&] {
        socket.poll([&](const std::string& op, const std::string& params) { return requests.handle(op, params); });
        return std::max(keys(), requests.wish);
    };
    watch.run.wish = poll;
    watch.run.forward = [&]() -> std::optional<std::string> {
        if (requests.operations.empty()) return std::nullopt;
        std::string op = requests.operations.front();
        requests.operations.pop_front();
        return op;
    };
    watch.onRow = [&](size_t index, size_t count, const study::Row& row, const std::string& what) {
        const std::string heading = rowHeading(index, count, row);
        progress.heading(heading);
        progress.note(heading + ": " + what);
        // A study paused between two members waits here.
        while (what == "starting" && requests.paused && poll() == drive::Wish::GoOn)
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (what == "starting") requests.operations.clear();
    };
    drive::Supervisor supervisor(store, study, watch);
    auto report = supervisor.run();
    progress.clear();
    study = supervisor.study();
    return report;
}

Result<bool> followStudy(store::Store& store, const std::filesystem::path& studyDir) {
    watchInterrupts();
    Progress progress;
    std::map<std::string, wire::EventLogReader> logs;
    bool first = true;
    for (bool live = true; live;) {
        live = wire::isLockLive(studyDir / "study.lock"); // one more round after the end
        QW_TRY(const auto study, study::openStudy(studyDir));
        QW_CHECK(store.sync());
        for (size_t i = 0; i < study.rows.size(); ++i) {
            const auto& row = study.rows[i];
            if (row.runUid.empty() || row.reused) continue;
            const auto run = store.run(row.runUid);
            if (!run) continue;
            const auto [log, isNew] = logs.try_emplace(row.runUid, wire::RunFolder{run->dir}.events());
            auto events = log->second.readAfter(0);
            if (!events || (first && isNew)) continue; // what was before is no news
            progress.heading(rowHeading(i, study.rows.size(), row));
            for (const auto& event : *events) progress.event(event);
        }
        first = false;
        if (interruptWish() != drive::Wish::GoOn) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    progress.clear();
    return true;
}

Status printStudy(store::Store& store, const study::Study& study, const drive::StudyReport* report, bool json) {
    QW_TRY(const auto facts, study::gatherStudy(store, study.uid));
    const study::Table table = study::compare(facts.rows, study::CompareOptions{facts.verdict, {}});
    std::vector<std::string> exported;
    if (report && !report->stopped) {
        const int winner = table.verdict.line;
        std::string run;
        if (winner >= 0) run = facts.rows[table.lines[static_cast<size_t>(winner)].rows.front()].run;
        const auto compare = [](const auto& source, const auto& folder) {
            return compareLogits(source, folder, [](const wire::Event&) {});
        };
        QW_TRY(exported, drive::writeExports(store, study, run, table.verdict.sentence, compare));
    }
    if (json) {
        Json out{{"study", study.uid}, {"name", study.name}, {"dir", study.dir.string()}};
        if (report) {
            out["stopped"] = report->stopped;
            out["exit_code"] = report->exitCode;
            out["rows"] = reportJson(*report);
        }
        out["table"] = Json::parse(study::toJson(table));
        out["exports"] = exported;
        std::cout << out.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
        return {};
    }
    std::cout << "Study " << study.name << "\n\n" << study::toPlain(table);
    for (const std::string& sentence : exported) std::cout << sentence << '\n';
    std::cout << std::flush;
    return {};
}

} // namespace qw::cli
