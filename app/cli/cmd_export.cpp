// SPDX-License-Identifier: GPL-3.0-or-later
// What: writes a run's or a model folder's weights for other programs, reads them back and prints the sheet that proves the folder.
#include "command_line.h"
#include "drive/checkpoint_folders.h"
#include "drive/export_run.h"
#include "engine_request.h"
#include "formats/sheet.h"
#include "progress.h"
#include "project_store.h"

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

namespace qw::cli {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

struct Wanted {
    std::string source, format, out, step, project;
    bool check = false, overwrite = false, lossy = false, json = false;
};

// What is exported: a folder, and the run that it belongs to.
struct Subject {
    fs::path folder;
    std::optional<store::RunInfo> run;
    int64_t step = drive::kEndOfRun;
};

bool isModel(const std::string& source) {
    std::error_code error;
    return fs::exists(fs::path(source) / "config.json", error) || fs::is_regular_file(source, error);
}

// A run, and which of its weights.
struct From {
    store::RunInfo run;
    int64_t step = drive::kEndOfRun;
};

// A checkpoint is turned into folders first, by an engine.
Result<From> fromRun(const Wanted& wanted, store::Store& store, Progress& progress) {
    QW_TRY(auto run, store.run(wanted.source));
    if (wanted.step.empty()) return From{std::move(run)};
    QW_TRY(const auto artifacts, store.artifacts(run.identity.uid));
    QW_TRY(const int64_t step, drive::exportableStep(run, artifacts, wanted.step));
    QW_CHECK(drive::checkpointFolders(store, run, step, [&](const std::string& params) {
        return askEngine("export", params, [&](const wire::Event& event) { progress.event(event); });
    }));
    return From{std::move(run), step};
}

Result<Subject> subjectOf(const Wanted& wanted, const formats::Format& format, const std::optional<From>& from, const store::Store* store) {
    if (!from) return Subject{wanted.source, std::nullopt};
    QW_TRY(auto folder, drive::exportSource(*store, from->run, format, from->step));
    return Subject{std::move(folder), from->run, from->step};
}

Result<Json> exportSubject(const Wanted& wanted, const formats::Format& format, const Subject& subject, store::Store* store,
                           Progress& progress) {
    QW_TRY(const auto source, checkpoint::Checkpoint::open(subject.folder));
    std::error_code error;
    const fs::path out = fs::absolute(wanted.out, error).lexically_normal();
    const auto tick = [&](uint64_t done, uint64_t total) {
        wire::Event event;
        event.payload = wire::Progress{"export", "bytes", static_cast<int64_t>(done), static_cast<int64_t>(total), -1};
        progress.event(event);
        return interruptWish() == drive::Wish::GoOn;
    };
    const auto probe = [&](const fs::path& written) {
        return compareLogits(subject.folder, written, [&](const wire::Event& event) { progress.event(event); });
    };
    QW_TRY(const auto exported, formats::exportModel(format, source, {out, wanted.overwrite, wanted.lossy}, tick, probe));
    const formats::Sheet proof = formats::sheetOf(format, exported, out, subject.step);
    Json sheet = Json::parse(proof.json);
    if (subject.run) {
        if (auto recorded = drive::recordExport(*store, *subject.run, out, exported, proof.json, subject.step); !recorded) {
            Error unrecorded = std::move(recorded).error();
            unrecorded.message = out.string() + " is written and " + (proof.verified ? "verified" : "UNVERIFIED") + ", but run " +
                                 subject.run->identity.name + " does not list it: " + unrecorded.message;
            return unrecorded;
        }
        sheet["run"] = subject.run->identity.uid;
    }
    return sheet;
}

void printSheet(const Json& sheet) {
    std::cout << (sheet["verified"].get<bool>() ? "verified: " : "UNVERIFIED: ") << sheet["dir"].get<std::string>() << '\n';
    const Json& verdict = sheet["verdict"];
    std::cout << "  " << verdict["fidelity"].get<std::string>() << ": " << verdict["why"].get<std::string>() << '\n'
              << "  runs on " << verdict["runs_on"].get<std::string>() << '\n';
    for (const auto& note : verdict["notes"]) std::cout << "  note: " << note.get<std::string>() << '\n';
    for (const auto& check : sheet["checks"])
        std::cout << "  " << (check["ok"].get<bool>() ? "ok   " : "FAIL ") << check["name"].get<std::string>() << ": "
                  << check["value"].get<std::string>() << '\n';
}

// One row a format; nothing is written.
Result<Json> judge(const Wanted& wanted, const std::optional<From>& from, const store::Store* store) {
    Json rows = Json::array();
    std::map<bool, Result<checkpoint::Checkpoint>> sources; // quantized and latent: opened and digested once
    const auto sourceOf = [&](const formats::Format& format) -> Result<checkpoint::Checkpoint> {
        QW_TRY(const auto subject, subjectOf(wanted, format, from, store));
        return checkpoint::Checkpoint::open(subject.folder);
    };
    for (const formats::Format* format : formats::formats()) {
        if (!wanted.format.empty() && wanted.format != format->name) continue;
        if (!sources.contains(format->latent)) sources.emplace(format->latent, sourceOf(*format));
        const auto& source = sources.at(format->latent);
        formats::Verdict verdict;
        if (source) {
            QW_TRY(verdict, format->check(*source));
        } else {
            verdict = formats::unsupported(source.error().message);
        }
        Json row{{"format", format->name}, {"title", format->title}, {"about", format->about}};
        row.update(Json::parse(formats::verdictJson(verdict)));
        rows.push_back(std::move(row));
    }
    return rows;
}

void printVerdicts(const Json& rows) {
    std::vector<std::vector<std::string>> table{{"format", "verdict", "size", "runs on"}};
    for (const auto& row : rows)
        table.push_back({row["format"], row["fidelity"], row["fidelity"] == "unsupported" ? "-" : bytesText(row["bytes"].get<int64_t>()),
                         row["runs_on"]});
    std::cout << textTable(table, {false, false, true, false});
    for (const auto& row : rows) {
        std::cout << '\n' << row["format"].get<std::string>() << ": " << row["why"].get<std::string>() << '\n';
        for (const auto& note : row["notes"]) std::cout << "  " << note.get<std::string>() << '\n';
    }
}

Result<Json> run(const Wanted& wanted, Progress& progress) {
    std::optional<store::Store> store;
    std::optional<From> from;
    if (!isModel(wanted.source)) {
        QW_TRY(store, openProject(wanted.project));
        QW_TRY(from, fromRun(wanted, *store, progress));
    } else if (!wanted.step.empty()) {
        return Error{"usage", "--step is for runs: " + wanted.source + " is a model", "leave it out, or name a run", "", false};
    }
    if (wanted.check) return judge(wanted, from, store ? &*store : nullptr);
    QW_TRY(const formats::Format* format, formats::findFormat(wanted.format));
    QW_TRY(const Subject subject, subjectOf(wanted, *format, from, store ? &*store : nullptr));
    return exportSubject(wanted, *format, subject, store ? &*store : nullptr, progress);
}

std::string formatNames() {
    std::string names;
    for (const formats::Format* format : formats::formats())
        if (format->write) names.append(names.empty() ? "" : " | ").append(format->name);
    return names;
}

} // namespace

int cmdExport(CommandLine& line) {
    Wanted wanted;
    line.positional("RUN|MODEL", wanted.source, "run, by id, start of an id, or name; or a model folder");
    line.option("--format", wanted.format, formatNames());
    line.option("--out", wanted.out, "folder to write; must be new or empty");
    line.option("--step", wanted.step, "checkpoint of the run: best | last | a step; without it, what training ended with");
    line.flag("--check", wanted.check, "only say what each format (or --format) can hold; write nothing");
    line.flag("--overwrite", wanted.overwrite, "replace the earlier export that the folder holds");
    line.flag("--lossy", wanted.lossy, "write although the verdict is lossy");
    line.option("--project", wanted.project, "project folder");
    line.flag("--json", wanted.json, "one JSON object");
    if (const auto done = line.parse()) return *done;
    if (!wanted.check && (wanted.out.empty() || wanted.format.empty()))
        return fail(Error{"usage", std::string(wanted.out.empty() ? "--out" : "--format") + " is missing",
                          "name --format and --out, or say --check", "", false},
                    wanted.json);
    watchInterrupts();
    Progress progress(false, 500); // the window's bar is fed from these lines
    const auto result = run(wanted, progress);
    progress.clear();
    if (!result) return fail(result.error(), wanted.json);
    if (wanted.json)
        std::cout << result->dump() << '\n';
    else if (wanted.check)
        printVerdicts(*result);
    else
        printSheet(*result);
    return wanted.check || (*result)["verified"].get<bool>() ? 0 : exitCode("file.corrupt");
}

} // namespace qw::cli
