// SPDX-License-Identifier: GPL-3.0-or-later
// What: runs a study's members in order (recipe.md 2, 4): reuses facts that exist, continues what was interrupted, goes on past failures,
// takes its turn in the project's queue.
// Why here: `qatw run` is one in the foreground or detached, the window starts the same one. Killed, it leaves its engine running.
#pragma once

#include "drive/run_driver.h"
#include "formats/sheet.h"
#include "study/study_file.h"
#include "wire/lock_file.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace qw::drive {

enum class RowEnd : uint8_t { Done, Reused, Failed, NoParent, NotRun };

struct RowReport {
    std::string id, name, runUid;
    RowEnd end = RowEnd::NotRun;
    std::optional<Error> error;
};
struct StudyReport {
    std::vector<RowReport> rows;
    int exitCode = 0;     // the first failure's
    bool stopped = false; // on request; run it again to continue
};

struct StudyWatch {
    Watch run;
    std::function<void(size_t index, size_t count, const study::Row& row, const std::string& what)>
        onRow; // "starting", "continuing", "reused" …
};

// The study of this recipe: the newest one with an equal resolved recipe, else a new one.
[[nodiscard]] Result<study::Study> openOrCreateStudy(store::Store& store, const records::Recipe& recipe, const std::string& text,
                                                     const std::vector<std::string>& sets, bool& continued);
// engine.busy naming the process that drives it already.
[[nodiscard]] Result<wire::LockFile> takeStudyLock(const study::Study& study);

class Supervisor {
public:
    Supervisor(store::Store& store, study::Study study, const StudyWatch& watch)
        : m_store(store), m_study(std::move(study)), m_watch(watch) {}
    // Hold the study's lock meanwhile.
    [[nodiscard]] Result<StudyReport> run();
    [[nodiscard]] const study::Study& study() const { return m_study; }

private:
    Status prepareKeys();
    Status runRow(size_t index, StudyReport& report);
    Result<bool> awaitTurn(); // false: asked to stop meanwhile
    Result<bool> reuse(study::Row& row);
    Status makeFolder(study::Row& row, wire::RunFolder& folder);
    Status remember(const study::Row& row);
    [[nodiscard]] const study::Row* parentOf(const study::Row& row) const;

    store::Store& m_store;
    study::Study m_study;
    const StudyWatch& m_watch;
};

// Asked for the logits of an export against its source.
using CompareLogits =
    std::function<Result<formats::LogitsCheck>(const std::filesystem::path& source, const std::filesystem::path& exported)>;
// Writes what recipe.exports names to <project>/exports/<study>: native folders as <name> (hard links where it can), others as
// <name>-<format>; whole folders or nothing. Sentences of what was written, and of what could not be.
[[nodiscard]] Result<std::vector<std::string>> writeExports(store::Store& store, const study::Study& study, const std::string& verdictRun,
                                                            const std::string& verdictSentence, const CompareLogits& compareLogits);
// from -> to through a temporary sibling; to must not exist, or be empty. link: hard links where the file system has them.
[[nodiscard]] Status copyFolder(const std::filesystem::path& from, const std::filesystem::path& to, bool link);

} // namespace qw::drive
