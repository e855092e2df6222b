// SPDX-License-Identifier: GPL-3.0-or-later
// What: a study's folder <project>/studies/<ulid>-<slug>/: recipe.yaml as written, members/<nn>-<id>.json, rows.json (which run serves
// which member).
#pragma once

#include "base/result.h"
#include "study/members.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace qw::study {

struct Row {
    Member member;       // member.run.key is filled once it is known
    std::string runUid;  // the run that gives this row its facts; empty: none yet
    bool reused = false; // the run was made for another study
};

struct Study {
    std::string uid, name;
    std::filesystem::path dir;
    std::string recipeText; // as written
    records::Recipe recipe; // after presets and --set
    std::vector<std::string> sets;
    int64_t createdMs = 0;
    std::vector<Row> rows; // in the order of expand()
};

// Members and resolved recipe in memory; uid, dir and createdMs are still empty.
[[nodiscard]] Result<Study> makeStudy(const records::Recipe& recipe, const std::string& recipeText, const std::vector<std::string>& sets);
// Writes a study into the folder that the store made (store::StudyInfo): members.json comes last, so a folder without it was never
// finished.
[[nodiscard]] Status writeStudy(Study& study, const std::string& uid, const std::filesystem::path& dir, int64_t createdMs);
[[nodiscard]] Result<Study> openStudy(const std::filesystem::path& dir); // file.corrupt names the file
[[nodiscard]] Status saveStudy(const Study& study);                      // members.json, atomically
// Newest first; folders that cannot be read are left out.
[[nodiscard]] std::vector<std::filesystem::path> studyFolders(const std::filesystem::path& project);
// The newest study of this project with an equal resolved recipe, to be continued.
[[nodiscard]] std::optional<std::filesystem::path> findStudy(const std::filesystem::path& project, const records::Recipe& recipe);

} // namespace qw::study
