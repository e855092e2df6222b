// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"
#include "project_store.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

using Json = nlohmann::ordered_json;

Json runJson(const store::RunInfo& run) {
    const auto& id = run.identity;
    Json json{{"uid", id.uid},
              {"name", id.name},
              {"kind", id.kind},
              {"role", records::roleName(id.role)},
              {"scheme", id.scheme},
              {"method", id.method},
              {"seed", id.seed},
              {"study", id.studyUid},
              {"study_name", id.studyName},
              {"state", records::stateName(run.state)},
              {"phase", run.phase},
              {"step", run.step},
              {"total_steps", run.totalSteps},
              {"created_ms", id.createdMs},
              {"started_ms", run.startedMs},
              {"ended_ms", run.endedMs},
              {"dir", run.dir.string()},
              {"tags", id.tags}};
    json["exit_code"] = run.exitCode ? Json(*run.exitCode) : Json();
    json["error"] = run.error ? Json{{"code", run.error->code}, {"msg", run.error->message}, {"hint", run.error->hint}} : Json();
    return json;
}

std::string stateText(const store::RunInfo& run) {
    std::string text = records::stateName(run.state);
    if (run.state == records::RunState::Running && !run.phase.empty()) text += " (" + run.phase + ")";
    return text;
}

void printTable(const std::vector<store::RunInfo>& runs) {
    std::vector<std::vector<std::string>> rows{{"ID", "NAME", "KIND", "SCHEME", "STATE", "STEP", "CREATED", "STUDY"}};
    for (const auto& run : runs) {
        const auto& id = run.identity;
        const std::string step = run.totalSteps > 0 ? std::to_string(run.step) + "/" + std::to_string(run.totalSteps) : "-";
        rows.push_back({id.uid, id.name, id.kind, id.scheme.empty() ? "-" : id.scheme, stateText(run), step, timeText(id.createdMs),
                        id.studyName.empty() ? "-" : id.studyName});
    }
    std::cout << textTable(rows, {false, false, false, false, false, true, false, false});
    for (const auto& run : runs)
        if (run.error) std::cout << run.identity.uid << ": " << run.error->message << "\n  next: " << run.error->hint << '\n';
}

} // namespace

int cmdRuns(CommandLine& line) {
    std::string study, project;
    bool json = false;
    line.option("--study", study, "only the runs of this study: id, start of an id, or name");
    line.flag("--json", json, "one JSON object");
    line.option("--project", project, "project folder");
    if (const auto done = line.parse()) return *done;
    auto store = openProject(project);
    if (!store) return fail(store.error(), json);
    store::RunFilter filter;
    if (!study.empty()) {
        const auto found = store->study(study);
        if (!found) return fail(found.error(), json);
        filter.study = found->uid;
    }
    const auto runs = store->runs(filter);
    if (!runs) return fail(runs.error(), json);
    if (json) {
        Json list = Json::array();
        for (const auto& run : *runs) list.push_back(runJson(run));
        std::cout << Json{{"project", store->project().string()}, {"runs", list}}.dump(-1, ' ', false, Json::error_handler_t::replace)
                  << '\n';
    } else if (runs->empty())
        std::cout << "no runs in " << store->project().string() << '\n';
    else
        printTable(*runs);
    return 0;
}

} // namespace qw::cli
