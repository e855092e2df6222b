// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"
#include "config/recipe_file.h"
#include "study/check.h"
#include "study/members.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {

namespace {

using Json = nlohmann::ordered_json;

Json toJson(const config::Finding& f) {
    return {{"level", f.isError ? "error" : "warning"}, {"where", f.where}, {"key", f.key}, {"msg", f.message}, {"hint", f.hint}};
}

void printFindings(const std::vector<config::Finding>& findings) {
    for (const auto& f : findings) {
        std::cerr << (f.isError ? "error: " : "warning: ") << f.where << (f.where.empty() ? "" : ": ") << f.key << ": " << f.message
                  << '\n';
        if (!f.hint.empty()) std::cerr << "  next: " << f.hint << '\n';
    }
}

} // namespace

int cmdValidate(CommandLine& line) {
    std::string path;
    std::vector<std::string> sets;
    bool resolved = false, json = false;
    line.positional("RECIPE", path, "recipe file");
    line.option("--set", sets, "key.path=value on top of the file; may be repeated");
    line.flag("--resolved", resolved, "print the merged recipe of every member");
    line.flag("--json", json, "one JSON object");
    if (const auto done = line.parse()) return *done;

    const auto file = config::loadRecipe(path, sets);
    if (!file) return fail(file.error(), json);
    const auto findings = study::checkRecipe(*file);
    const bool bad = config::hasErrors(findings);
    const int code = bad ? exitCode(config::findingsError(findings).code) : 0;
    const auto members = study::expand(file->recipe);
    if (!members && !bad) return fail(members.error(), json);
    const std::vector<study::Member> rows = members ? *members : std::vector<study::Member>{};

    if (json) {
        Json out{{"ok", !bad}, {"findings", Json::array()}, {"members", Json::array()}};
        for (const auto& f : findings) out["findings"].push_back(toJson(f));
        for (const auto& m : rows) {
            Json one{{"id", m.id},
                     {"name", m.run.name},
                     {"role", records::roleName(m.run.role)},
                     {"scheme", m.run.scheme},
                     {"method", m.run.method},
                     {"seed", m.run.seed},
                     {"parent", m.parent},
                     {"block", m.run.block}};
            if (resolved) one["recipe"] = Json::parse(config::writeRecipe(m.recipe));
            out["members"].push_back(std::move(one));
        }
        std::cout << out.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
        return code;
    }
    printFindings(findings);
    if (resolved) {
        for (const auto& m : rows) std::cout << "--- # " << m.run.name << '\n' << config::writeRecipe(m.recipe);
        return code;
    }
    if (bad) return code;
    std::cout << path << ": a valid recipe; it runs " << rows.size() << (rows.size() == 1 ? " member:\n" : " members:\n");
    for (const auto& m : rows) std::cout << "  " << m.run.name << '\n';
    return 0;
}

} // namespace qw::cli
