// SPDX-License-Identifier: GPL-3.0-or-later
// What: studies: their folders (study.json, rows.json) are the truth, the tables experiment and study_row follow.
#include "base/clock.h"
#include "base/files.h"
#include "base/ids.h"
#include "store/store_state.h"

#include <algorithm>
#include <tuple>

namespace qw::store {
namespace {

constexpr uint64_t kMaxFileBytes = 16 << 20;

auto place(const StudyRow& row) { return std::tie(row.role, row.scheme, row.method, row.block, row.seed); }

Status insertRow(Database& db, const StudyRow& row) {
    return db.run(
        "INSERT OR REPLACE INTO study_row(study_uid, role, scheme, method, block, seed, run_uid) VALUES(?,?,?,?,?,?,?)",
        {row.studyUid, records::roleName(row.role), row.scheme, row.method, row.block, static_cast<int64_t>(row.seed), row.runUid});
}

// changed: rows.json was just written, and two writes may carry the same time.
Status syncStudy(StoreState& state, const std::filesystem::path& dir, bool changed = false) {
    const int64_t stamp = std::max(fileStamp(dir / "study.json"), fileStamp(dir / "rows.json"));
    const std::string relative = dir.lexically_relative(state.project).string();
    QW_TRY(const auto known, state.durable.integer("SELECT 1 FROM experiment WHERE dir=? AND rows_stamp=?", {relative, stamp}));
    if (known && !changed) return {};
    const auto text = readFile(dir / "study.json", kMaxFileBytes);
    const auto study = text ? studyFromJson(*text) : std::nullopt;
    if (!study) {
        state.note((dir / "study.json").string() + " cannot be read; the study is left out");
        return {};
    }
    const auto rowsText = readFile(dir / "rows.json", kMaxFileBytes);
    Transaction transaction(state.durable);
    QW_CHECK(transaction.begin());
    QW_CHECK(state.durable.run(
        "INSERT INTO experiment(uid, name, notes, tags, created_ms, archived, dir, rows_stamp) VALUES(?,?,?,?,?,?,?,?) "
        "ON CONFLICT(uid) DO UPDATE SET name=excluded.name, notes=excluded.notes, tags=excluded.tags, created_ms=excluded.created_ms, "
        "archived=excluded.archived, dir=excluded.dir, rows_stamp=excluded.rows_stamp",
        {study->uid, study->name, study->notes, tagsToJson(study->tags), study->createdMs, study->archived, relative, stamp}));
    QW_CHECK(state.durable.run("DELETE FROM study_row WHERE study_uid=?", {study->uid}));
    if (rowsText)
        for (const StudyRow& row : studyRowsFromJson(*rowsText, study->uid)) QW_CHECK(insertRow(state.durable, row));
    return transaction.commit();
}

StudyInfo studyOf(const Row& row, const std::filesystem::path& project) {
    StudyInfo study;
    study.uid = row.text(0);
    study.name = row.text(1);
    study.notes = row.text(2);
    study.tags = tagsFromJson(row.text(3));
    study.createdMs = row.integer(4);
    study.archived = row.integer(5) != 0;
    if (const std::string dir = row.text(6); !dir.empty()) study.dir = project / dir;
    return study;
}

} // namespace

Status StoreState::syncStudies() {
    std::vector<std::filesystem::path> dirs;
    std::error_code code;
    for (std::filesystem::directory_iterator it(wire::studiesDir(project), code), end; !code && it != end; it.increment(code)) {
        std::error_code missing;
        if (std::filesystem::is_regular_file(it->path() / "study.json", missing)) dirs.push_back(it->path());
    }
    std::ranges::sort(dirs);
    for (const auto& dir : dirs) QW_CHECK(syncStudy(*this, dir));
    return {};
}

Result<StudyInfo> Store::createStudy(const std::string& name) {
    QW_CHECK(m_state->needWrite());
    StudyInfo study;
    study.uid = newUlid();
    study.name = name;
    study.createdMs = wallMs();
    study.dir = wire::studiesDir(m_state->project) / wire::folderName(study.uid, name);
    QW_CHECK(makeDirs(study.dir));
    QW_CHECK(writeFileAtomic(study.dir / "study.json", studyToJson(study)));
    QW_CHECK(syncStudy(*m_state, study.dir));
    return study;
}

Status Store::putStudyRow(const StudyRow& row) {
    QW_CHECK(m_state->needWrite());
    QW_TRY(const StudyInfo info, study(row.studyUid));
    if (info.dir.empty())
        return Error{"file.not_found", "the folder of study '" + info.name + "' is gone", "start the recipe again", {}, false};
    const auto text = readFile(info.dir / "rows.json", kMaxFileBytes);
    std::vector<StudyRow> rows = text ? studyRowsFromJson(*text, info.uid) : std::vector<StudyRow>();
    const auto same = std::ranges::find_if(rows, [&](const StudyRow& other) { return place(other) == place(row); });
    if (same == rows.end())
        rows.push_back(row);
    else if (same->runUid == row.runUid)
        return {};
    else
        *same = row;
    QW_CHECK(writeFileAtomic(info.dir / "rows.json", studyRowsToJson(rows)));
    return syncStudy(*m_state, info.dir, true);
}

Result<std::vector<StudyInfo>> Store::studies() const {
    std::vector<StudyInfo> found;
    QW_CHECK(
        m_state->durable.query("SELECT uid, name, notes, tags, created_ms, archived, dir FROM experiment WHERE uid<>? ORDER BY uid DESC",
                               {kNoStudy}, [&](const Row& row) { found.push_back(studyOf(row, m_state->project)); }));
    return found;
}

Result<StudyInfo> Store::study(const std::string& token) const {
    QW_TRY(const auto all, studies());
    std::vector<StudyInfo> matches;
    for (const StudyInfo& info : all) {
        if (info.uid == token) return info;
        if (!token.empty() && info.uid.starts_with(token)) matches.push_back(info);
    }
    if (matches.size() == 1) return matches.front();
    if (matches.size() > 1)
        return Error{
            "file.not_found", std::to_string(matches.size()) + " studies begin with '" + token + "'", "write more of the id", {}, false};
    for (const StudyInfo& info : all) // newest first
        if (info.name == token) return info;
    return Error{
        "file.not_found", "no study '" + token + "' in " + m_state->project.string(), "'qatw runs' lists what there is", {}, false};
}

Result<std::vector<StudyRow>> Store::studyRows(const std::string& studyUid) const {
    std::vector<StudyRow> rows;
    QW_CHECK(m_state->durable.query(
        "SELECT role, scheme, method, block, seed, run_uid FROM study_row WHERE study_uid=? ORDER BY role, scheme, method, block, seed",
        {studyUid}, [&](const Row& row) {
            const auto role = records::roleFromName(row.text(0));
            rows.push_back({studyUid, role.value_or(records::RowRole::Float), row.text(1), row.text(2), row.text(3),
                            static_cast<uint64_t>(row.integer(4)), row.text(5)});
        }));
    return rows;
}

} // namespace qw::store
