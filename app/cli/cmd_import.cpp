// SPDX-License-Identifier: GPL-3.0-or-later
// What: import: published results as rows of a comparison.
#include "command_line.h"
#include "drive/import_results.h"
#include "project_store.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

Result<std::vector<std::string>> import(const std::string& file, const std::string& project) {
    QW_TRY(auto store, openProject(project));
    return drive::importResults(store, file);
}

} // namespace

int cmdImport(CommandLine& line) {
    std::string file, project;
    bool json = false;
    line.positional("FILE", file, "CSV with name, task, metric and value (role, scheme, stderr, n, bytes, bits), or results of lm_eval");
    line.option("--project", project, "project folder");
    line.flag("--json", json, "one JSON object");
    if (const auto done = line.parse()) return *done;
    const auto made = import(file, project);
    if (!made) return fail(made.error(), json);
    if (json)
        std::cout << nlohmann::json{{"runs", *made}}.dump() << '\n';
    else
        for (const std::string& uid : *made) std::cout << uid << '\n';
    return 0;
}

} // namespace qw::cli
