// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/files.h"
#include "base/ids.h"
#include "drive/supervisor.h"

#include <cerrno>
#include <cstdio>
#include <unistd.h>

namespace qw::drive {
namespace fs = std::filesystem;
namespace {

Status copyOne(const fs::path& from, const fs::path& to, bool link) {
    if (link && ::link(from.c_str(), to.c_str()) == 0) return {}; // same file system: no second copy on disk
    std::error_code error;
    fs::copy_file(from, to, error);
    if (error.value() == ENOSPC)
        return Error{"disk.full", "no space left while copying " + from.string(), "free some space and run the command again", "", true};
    if (error) return Error{"file.io", "cannot copy " + from.string() + " to " + to.string() + ": " + error.message(), "", "", false};
    return {};
}

Status copyInto(const fs::path& from, const fs::path& temporary, bool link) {
    QW_CHECK(makeDirs(temporary));
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(from, error))
        if (entry.is_regular_file()) QW_CHECK(copyOne(entry.path(), temporary / entry.path().filename(), link));
    if (error) return errnoError(error.value(), "read", from);
    return fsyncDir(temporary);
}

} // namespace

Status copyFolder(const fs::path& from, const fs::path& to, bool link) {
    std::error_code error;
    const fs::path target = fs::absolute(to).lexically_normal();
    if (fs::exists(target, error) && !fs::is_empty(target, error))
        return Error{"file.unsafe", to.string() + " exists and is not empty", "choose another folder, or remove it first", "", false};
    const fs::path temporary = target.string() + ".tmp." + std::to_string(::getpid());
    QW_CHECK(makeDirs(target.parent_path()));
    Status copied = copyInto(from, temporary, link);
    if (copied) {
        fs::remove(target, error); // an empty folder
        if (::rename(temporary.c_str(), target.c_str()) == 0) return fsyncDir(target.parent_path());
        copied = errnoError(errno, "rename to", target);
    }
    fs::remove_all(temporary, error);
    return copied;
}

Result<std::vector<std::string>> writeExports(store::Store& store, const study::Study& study, const std::string& verdictRun,
                                              const std::string& verdictSentence) {
    std::vector<std::string> said;
    const auto one = [&](const std::string& runUid, const std::string& name) -> Status {
        QW_TRY(const auto run, store.run(runUid));
        const fs::path from = wire::RunFolder{run.dir}.nativeExport();
        const fs::path to = store.project() / "exports" / slug(study.name.empty() ? "study" : study.name) / slug(name);
        std::error_code error;
        if (!fs::exists(from, error)) {
            said.push_back("'" + name + "' is not quantized: nothing to export");
            return {};
        }
        const fs::path stamp = to / "config.json";
        if (fs::exists(stamp, error) && fs::equivalent(stamp, from / "config.json", error)) {
            said.push_back(to.string() + " is up to date");
            return {};
        }
        if (fs::exists(to, error)) fs::rename(to, to.string() + ".old-" + newUlid(), error);
        QW_CHECK(copyFolder(from, to, true));
        said.push_back("exported " + name + " to " + to.string());
        return {};
    };
    for (const auto& entry : study.recipe.exports) {
        if (entry.scheme == "verdict" && verdictRun.empty()) {
            said.push_back("nothing exported: " + verdictSentence);
            continue;
        }
        for (const study::Row& row : study.rows) {
            const auto& run = row.member.run;
            if (row.runUid.empty()) continue;
            const bool quantized = run.role == records::RowRole::Qat || run.role == records::RowRole::Ptq;
            const bool wanted =
                entry.scheme == "verdict" ? row.runUid == verdictRun : quantized && (entry.scheme == "all" || entry.scheme == run.scheme);
            if (wanted) QW_CHECK(one(row.runUid, run.name));
        }
    }
    return said;
}

} // namespace qw::drive
