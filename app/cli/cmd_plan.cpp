// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"
#include "config/recipe_file.h"
#include "engine_request.h"
#include "progress.h"
#include "project_store.h"
#include "study/check.h"
#include "study/members.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// Removed with everything in it.
class Scratch {
public:
    Scratch() {
        std::error_code error;
        std::string pattern = (fs::temp_directory_path(error) / "qatw-plan-XXXXXX").string();
        if (::mkdtemp(pattern.data())) m_path = pattern;
    }
    ~Scratch() {
        std::error_code ignored;
        if (!m_path.empty()) fs::remove_all(m_path, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    [[nodiscard]] const fs::path& path() const { return m_path; }

private:
    fs::path m_path;
};

std::string duration(double seconds) {
    char text[48];
    if (seconds < 90)
        std::snprintf(text, sizeof text, "%.1f s", seconds);
    else if (seconds < 5400)
        std::snprintf(text, sizeof text, "%.1f min", seconds / 60);
    else
        std::snprintf(text, sizeof text, "%.1f h", seconds / 3600);
    return text;
}

Result<Json> planMember(const study::Member& member, bool probe, Progress& progress) {
    const Scratch scratch;
    const nlohmann::json params{{"recipe", config::writeRecipe(member.recipe)}, {"scratch", scratch.path().string()}, {"probe", probe}};
    QW_TRY(const std::string text, askEngine("plan", params.dump(), [&](const wire::Event& event) { progress.event(event); }));
    Json plan = Json::parse(text);
    plan["member"] = member.run.name;
    plan["role"] = records::roleName(member.run.role);
    plan["scheme"] = member.run.scheme;
    return plan;
}

void printPlan(const Json& plan) {
    std::cout << plan["member"].get<std::string>() << "\n  " << plan["steps"] << " steps of " << plan["tokens_per_step"] << " tokens; "
              << plan["documents"] << " documents, " << plan["tokens"] << " tokens in " << plan["rows"] << " rows\n";
    std::cout << "  memory about " << bytesText(plan["memory_bytes"].get<int64_t>()) << ':';
    for (const auto& part : plan["memory"])
        if (part["bytes"].get<int64_t>() > 0)
            std::cout << ' ' << part["name"].get<std::string>() << ' ' << bytesText(part["bytes"].get<int64_t>()) << ';';
    std::cout << "\n  time: ";
    if (plan.contains("train_seconds"))
        std::cout << duration(plan["train_seconds"].get<double>()) << " (measured " << numberText(plan["step_seconds"].get<double>())
                  << " s a step), evaluation not included\n";
    else
        std::cout << "unknown, " << plan["time_unknown"].get<std::string>() << '\n';
    if (plan["bits_per_weight"].get<double>() > 0)
        std::cout << "  " << plan["quantized_layers"] << " matrices quantized, " << numberText(plan["bits_per_weight"].get<double>())
                  << " bits per weight, about " << bytesText(plan["native_bytes"].get<int64_t>()) << " exported\n";
    for (const auto& layer : plan["skipped"])
        std::cout << "  not quantized: " << layer["name"].get<std::string>() << " (" << layer["reason"].get<std::string>() << ")\n";
    for (const auto& warning : plan["warnings"]) std::cout << "  warning: " << warning.get<std::string>() << '\n';
}

} // namespace

int cmdPlan(CommandLine& line) {
    std::string path, project;
    std::vector<std::string> sets;
    bool json = false, noProbe = false;
    line.positional("RECIPE", path, "recipe file");
    line.option("--set", sets, "key.path=value on top of the file; may be repeated");
    line.flag("--no-probe", noProbe, "do not measure a few steps for the time estimate");
    line.option("--project", project, "accepted as everywhere; a plan writes nothing");
    line.flag("--json", json, "one JSON object");
    if (const auto done = line.parse()) return *done;
    const auto file = config::loadRecipe(path, sets);
    if (!file) return fail(file.error(), json);
    const auto findings = study::checkRecipe(*file);
    if (config::hasErrors(findings)) return fail(config::findingsError(findings), json);
    const auto members = study::expand(file->recipe);
    if (!members) return fail(members.error(), json);

    Progress progress;
    Json out{{"members", members->size()}, {"plans", Json::array()}, {"warnings", Json::array()}};
    for (const auto& finding : findings) out["warnings"].push_back(finding.key + ": " + finding.message);
    double seconds = 0;
    bool known = true;
    for (const auto& member : *members) {
        if (member.run.role != records::RowRole::FloatTrained && member.run.role != records::RowRole::Qat) continue; // only these train
        progress.heading(member.run.name);
        auto plan = planMember(member, !noProbe, progress);
        progress.clear();
        if (!plan) return fail(plan.error(), json);
        known = known && plan->contains("train_seconds");
        seconds += plan->value("train_seconds", 0.0);
        out["plans"].push_back(*std::move(plan));
    }
    if (known) out["train_seconds"] = seconds;
    if (json) {
        std::cout << out.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
        return 0;
    }
    std::cout << members->size() << " members, " << out["plans"].size() << " of them are trained";
    if (known) std::cout << ", " << duration(seconds) << " of training in all";
    std::cout << "\n\n";
    for (const auto& plan : out["plans"]) printPlan(plan);
    for (const auto& warning : out["warnings"]) std::cout << "warning: " << warning.get<std::string>() << '\n';
    return 0;
}

} // namespace qw::cli
