// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"
#include "project_store.h"

#include "base/clock.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

using Json = nlohmann::ordered_json;

int check(const std::string& project, bool json) {
    const auto store = openProject(project);
    if (!store) return fail(store.error(), json);
    const auto problems = store->check();
    if (!problems) return fail(problems.error(), json);
    if (json)
        std::cout << Json{{"ok", problems->empty()}, {"problems", *problems}, {"notes", store->notes()}}.dump() << '\n';
    else {
        for (const std::string& problem : *problems) std::cout << problem << '\n';
        if (problems->empty()) std::cout << "the store is sound\n";
    }
    return problems->empty() ? 0 : exitCode("store.corrupt");
}

int rebuild(const std::string& project, bool json) {
    const auto folder = projectFolder(project);
    if (const auto done = store::Store::rebuild(folder); !done) return fail(done.error(), json);
    const auto store = store::Store::open(folder);
    if (!store) return fail(store.error(), json);
    const auto runs = store->runs();
    if (!runs) return fail(runs.error(), json);
    if (json)
        std::cout << Json{{"ok", true}, {"runs", runs->size()}}.dump() << '\n';
    else
        std::cout << "made again from " << runs->size() << " run folders; the old file is kept beside it as store.old-*\n";
    return 0;
}

int backup(const std::string& project, std::string file, bool json) {
    const auto store = openProject(project);
    if (!store) return fail(store.error(), json);
    if (file.empty()) file = (store->project() / ("backup-" + std::to_string(wallMs()) + ".qatw")).string();
    if (const auto done = store->backup(file); !done) return fail(done.error(), json);
    if (json)
        std::cout << Json{{"ok", true}, {"file", file}}.dump() << '\n';
    else
        std::cout << "copied to " << file << '\n';
    return 0;
}

} // namespace

int cmdStore(CommandLine& line) {
    std::string what, file, project;
    bool json = false;
    line.positional("check|rebuild|backup", what, "check: integrity; rebuild: again from the run folders; backup: a copy");
    line.positional("FILE", file, "target of backup; left out: a dated file in the project", false);
    line.flag("--json", json, "one JSON object");
    line.option("--project", project, "project folder");
    if (const auto done = line.parse()) return *done;
    if (what == "check") return check(project, json);
    if (what == "rebuild") return rebuild(project, json);
    if (what == "backup") return backup(project, file, json);
    return fail(Error{"usage", "store has no action '" + what + "'", "one of check, rebuild, backup", {}, false}, json);
}

} // namespace qw::cli
