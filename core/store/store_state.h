// SPDX-License-Identifier: GPL-3.0-or-later
// What: what an open store holds, and the functions its files share. Internal to core/store.
#pragma once

#include "store/database.h"
#include "store/projector.h"
#include "store/store.h"
#include "wire/event_log.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace qw::store {

// Where the projection of one run stands in this process.
struct RunCursor {
    wire::EventLogReader reader;
    Projector projector;
};

struct StoreState {
    std::filesystem::path project, file;
    mutable Database durable;  // synchronous=FULL: states, results, artifacts, user fields
    mutable Database bulkOnly; // synchronous=NORMAL: metrics; a power cut may lose the last commits, they are projected again
    bool readOnly = false, networkFs = false;
    std::vector<std::string> notes;
    std::string owner;                        // <host>|<pid>|<boot id>|<nonce>
    std::map<std::string, RunCursor> cursors; // by run uid
    std::set<std::string> leases;             // runs whose lease this process holds

    ~StoreState();
    // On a network file system one connection holds the file for itself; for reading one is enough.
    [[nodiscard]] Database& bulk() { return networkFs ? durable : bulkOnly; }
    [[nodiscard]] Status needWrite() const;
    void note(std::string sentence);

    [[nodiscard]] Status openFiles(OpenMode mode); // both connections, pragmas, migrations, quick_check after an unclean end
    void closeFiles();
    // Row of run.json: inserted or refreshed; the run's id.
    [[nodiscard]] Result<int64_t> putIdentity(const wire::RunFolder& folder, const records::RunIdentity& identity, int64_t stamp);
    [[nodiscard]] Status syncStudies();
    [[nodiscard]] Status markInterrupted(const wire::RunFolder& folder, const std::string& uid);
    [[nodiscard]] Result<int64_t> experiment(const std::string& uid, const std::string& name, int64_t createdMs); // id, made when missing
};

// A result without metrics from 14 columns beginning at `at`, and one metric from 3; queries.cpp and bulk.cpp select alike.
[[nodiscard]] records::EvalResult resultOf(const Row& row, int at);
[[nodiscard]] records::EvalMetric metricOf(const Row& row, int at);
[[nodiscard]] int64_t fileStamp(const std::filesystem::path& file); // mtime in ns, 0 when missing
[[nodiscard]] bool ownerAlive(const std::string& owner);
[[nodiscard]] std::string tagsToJson(const std::vector<std::string>& tags);
[[nodiscard]] std::vector<std::string> tagsFromJson(const std::string& text);
[[nodiscard]] std::string errorToJson(const Error& error);
[[nodiscard]] std::optional<Error> errorFromJson(const std::string& text);
[[nodiscard]] Error interruptedError(const wire::RunFolder& folder, int64_t attemptStartedMs, int64_t step); // words from logs/crash.json

// study.json and rows.json of a study's folder.
[[nodiscard]] std::string studyToJson(const StudyInfo& study);
[[nodiscard]] std::optional<StudyInfo> studyFromJson(const std::string& text);
[[nodiscard]] std::string studyRowsToJson(const std::vector<StudyRow>& rows);
[[nodiscard]] std::vector<StudyRow> studyRowsFromJson(const std::string& text, const std::string& studyUid);

constexpr const char* kNoStudy = "none"; // experiment of runs made by single commands

} // namespace qw::store
