// SPDX-License-Identifier: GPL-3.0-or-later
#include "study/study_file.h"

#include "base/files.h"
#include "config/recipe_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace fs = std::filesystem;

namespace qw::study {

using Json = nlohmann::ordered_json; // a recipe's first key must stay first

namespace {

std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json toJson(const Member& m) {
    return {{"id", m.id},
            {"name", m.run.name},
            {"kind", m.run.kind},
            {"role", records::roleName(m.run.role)},
            {"scheme", m.run.scheme},
            {"method", m.run.method},
            {"block", m.run.block},
            {"seed", m.run.seed},
            {"model_path", m.run.modelPath},
            {"parent", m.parent},
            {"recipe", Json::parse(config::writeRecipe(m.recipe))}};
}

Error corrupt(const fs::path& file, const std::string& what) {
    return Error{"file.corrupt", file.string() + ": " + what, "start the study again with qatw run; its runs' results are kept", {}, false};
}

Result<Json> readJson(const fs::path& file) {
    QW_TRY(const std::string text, readFile(file, uint64_t{64} << 20));
    Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return corrupt(file, "this is not a JSON object");
    return json;
}

Result<Member> memberFrom(const fs::path& file) {
    QW_TRY(const Json json, readJson(file));
    try {
        Member m;
        m.id = json.at("id");
        m.parent = json.at("parent");
        m.run.name = json.at("name");
        m.run.kind = json.at("kind");
        const auto role = records::roleFromName(json.at("role"));
        if (!role) return corrupt(file, "there is no such role");
        m.run.role = *role;
        m.run.scheme = json.at("scheme");
        m.run.method = json.at("method");
        m.run.block = json.at("block");
        m.run.seed = json.at("seed");
        m.run.modelPath = json.at("model_path");
        QW_TRY(m.recipe, config::parseRecipe(json.at("recipe").dump(), file));
        return m;
    } catch (const Json::exception& error) {
        return corrupt(file, error.what());
    }
}

std::string memberFile(size_t index, const Member& m) {
    std::string number = std::to_string(index);
    number.insert(0, number.size() < 3 ? 3 - number.size() : 0, '0');
    return number + "-" + m.id + ".json";
}

Json rowsJson(const Study& study) {
    Json rows = Json::array();
    for (const Row& row : study.rows)
        rows.push_back({{"member", row.member.id}, {"key", row.member.run.key}, {"run", row.runUid}, {"reused", row.reused}});
    return {{"study", study.uid}, {"name", study.name}, {"created_ms", study.createdMs}, {"sets", study.sets}, {"rows", rows}};
}

void nameMembers(Study& study) {
    for (Row& row : study.rows) {
        row.member.run.studyUid = study.uid;
        row.member.run.studyName = study.name;
    }
}

Status fill(const Study& study) {
    QW_CHECK(makeDirs(study.dir / "members"));
    QW_CHECK(writeFileAtomic(study.dir / "recipe.yaml", study.recipeText));
    QW_CHECK(writeFileAtomic(study.dir / "recipe.resolved.json", config::writeRecipe(study.recipe)));
    for (size_t i = 0; i < study.rows.size(); ++i)
        QW_CHECK(writeFileAtomic(study.dir / "members" / memberFile(i, study.rows[i].member), dump(toJson(study.rows[i].member))));
    return saveStudy(study);
}

} // namespace

Result<Study> makeStudy(const records::Recipe& recipe, const std::string& recipeText, const std::vector<std::string>& sets) {
    Study study;
    study.name = recipe.name.empty() ? "study" : recipe.name;
    study.recipe = recipe;
    study.recipe.preset.clear(); // its keys are in the recipe already; the folder must not depend on a preset file
    study.recipeText = recipeText;
    study.sets = sets;
    QW_TRY(auto members, expand(recipe));
    for (Member& m : members) study.rows.push_back({std::move(m), {}, false});
    return study;
}

Status writeStudy(Study& study, const std::string& uid, const fs::path& dir, int64_t createdMs) {
    study.uid = uid;
    study.dir = dir;
    study.createdMs = createdMs;
    nameMembers(study);
    return fill(study);
}

Status saveStudy(const Study& study) { return writeFileAtomic(study.dir / "members.json", dump(rowsJson(study))); }

Result<Study> openStudy(const fs::path& dir) {
    Study study;
    study.dir = dir;
    QW_TRY(study.recipeText, readFile(dir / "recipe.yaml", uint64_t{1} << 20));
    QW_TRY(const std::string resolved, readFile(dir / "recipe.resolved.json", uint64_t{16} << 20));
    QW_TRY(study.recipe, config::parseRecipe(resolved, dir / "recipe.resolved.json"));
    std::vector<fs::path> files;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(dir / "members", failed))
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    std::ranges::sort(files);
    for (const fs::path& file : files) {
        QW_TRY(Member member, memberFrom(file));
        study.rows.push_back({std::move(member), {}, false});
    }
    const fs::path rowsFile = dir / "members.json";
    QW_TRY(const Json json, readJson(rowsFile));
    try {
        study.uid = json.at("study");
        study.name = json.at("name");
        study.createdMs = json.at("created_ms");
        study.sets = json.at("sets").get<std::vector<std::string>>();
        for (const Json& one : json.at("rows")) {
            const auto row =
                std::ranges::find_if(study.rows, [&](const Row& r) { return r.member.id == one.at("member").get<std::string>(); });
            if (row == study.rows.end())
                return corrupt(rowsFile, "names a member that has no file: " + one.at("member").get<std::string>());
            row->member.run.key = one.at("key");
            row->runUid = one.at("run");
            row->reused = one.at("reused");
        }
    } catch (const Json::exception& error) {
        return corrupt(rowsFile, error.what());
    }
    if (study.rows.empty()) return corrupt(dir / "members", "holds no member");
    nameMembers(study);
    return study;
}

std::vector<fs::path> studyFolders(const fs::path& project) {
    std::vector<fs::path> folders;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(project / "studies", failed))
        if (entry.is_directory(failed) && fs::exists(entry.path() / "members.json", failed) &&
            !entry.path().filename().string().starts_with('.'))
            folders.push_back(entry.path());
    std::ranges::sort(folders, std::greater<>());
    return folders;
}

std::optional<fs::path> findStudy(const fs::path& project, const records::Recipe& recipe) {
    records::Recipe plain = recipe;
    plain.preset.clear();
    const std::string wanted = config::writeRecipe(plain);
    for (const fs::path& folder : studyFolders(project)) {
        const auto text = readFile(folder / "recipe.resolved.json", uint64_t{16} << 20);
        if (text && *text == wanted) return folder;
    }
    return std::nullopt;
}

} // namespace qw::study
