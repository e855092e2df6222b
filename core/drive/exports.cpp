// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/files.h"
#include "base/ids.h"
#include "drive/export_run.h"
#include "drive/supervisor.h"

#include <algorithm>
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

namespace {

// A study's exports, one call an entry and run; `said` gets one sentence for each.
class Exports {
public:
    Exports(store::Store& store, const study::Study& study, const CompareLogits& compareLogits)
        : m_store(store),
          m_folder(store.project() / "exports" / slug(study.name.empty() ? "study" : study.name)),
          m_compare(compareLogits) {}
    std::vector<std::string> said;

    Status write(const std::string& runUid, const std::string& name, const std::string& format) {
        QW_TRY(const auto run, m_store.run(runUid));
        return format == "native" ? copyNative(run, name) : writeFormat(run, name, format);
    }

private:
    Status copyNative(const store::RunInfo& run, const std::string& name) {
        const fs::path from = wire::RunFolder{run.dir}.nativeExport(), to = m_folder / slug(name);
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
        moveAside(to);
        QW_CHECK(copyFolder(from, to, true));
        said.push_back("exported " + name + " to " + to.string());
        return {};
    }

    // A format that cannot hold this run is a sentence, not the end of the other exports.
    Status writeFormat(const store::RunInfo& run, const std::string& name, const std::string& formatName) {
        QW_TRY(const formats::Format* format, formats::findFormat(formatName));
        const fs::path to = m_folder / slug(name + "-" + formatName);
        const auto from = exportSource(m_store, run, *format);
        if (!from) return say(name, formatName, from.error());
        QW_TRY(const auto source, checkpoint::Checkpoint::open(*from));
        if (isRecorded(run, to)) {
            said.push_back(to.string() + " is up to date");
            return {};
        }
        moveAside(to);
        const auto exported = formats::exportModel(
            *format, source, {to, false, false}, [](uint64_t, uint64_t) { return true; },
            [&](const fs::path& written) { return m_compare(*from, written); });
        if (!exported) return say(name, formatName, exported.error());
        const formats::Sheet sheet = formats::sheetOf(*format, *exported, to);
        QW_CHECK(recordExport(m_store, run, to, *exported, sheet.json));
        said.push_back((sheet.verified ? "exported " : "UNVERIFIED: ") + name + " to " + to.string());
        return {};
    }

    Status say(const std::string& name, const std::string& format, const Error& error) {
        said.push_back("'" + name + "' was not exported as " + format + ": " + error.message);
        return {};
    }

    // This run wrote the folder, and it is still as it was read back then.
    [[nodiscard]] bool isRecorded(const store::RunInfo& run, const fs::path& to) const {
        const auto artifacts = m_store.artifacts(run.identity.uid);
        const auto there = checkpoint::Checkpoint::open(to);
        if (!artifacts || !there) return false;
        const auto digest = there->fingerprint();
        return digest &&
               std::ranges::any_of(*artifacts, [&](const auto& a) { return a.kind == "export" && a.path == to && a.hash == *digest; });
    }

    static void moveAside(const fs::path& folder) {
        std::error_code error;
        if (fs::exists(folder, error)) fs::rename(folder, folder.string() + ".old-" + newUlid(), error);
    }

    store::Store& m_store;
    fs::path m_folder;
    const CompareLogits& m_compare;
};

} // namespace

Result<std::vector<std::string>> writeExports(store::Store& store, const study::Study& study, const std::string& verdictRun,
                                              const std::string& verdictSentence, const CompareLogits& compareLogits) {
    Exports exports(store, study, compareLogits);
    for (const auto& entry : study.recipe.exports) {
        if (entry.scheme == "verdict" && verdictRun.empty()) {
            exports.said.push_back("nothing exported: " + verdictSentence);
            continue;
        }
        for (const study::Row& row : study.rows) {
            const auto& run = row.member.run;
            if (row.runUid.empty()) continue;
            const bool quantized = run.role == records::RowRole::Qat || run.role == records::RowRole::Ptq;
            const bool wanted =
                entry.scheme == "verdict" ? row.runUid == verdictRun : quantized && (entry.scheme == "all" || entry.scheme == run.scheme);
            if (wanted) QW_CHECK(exports.write(row.runUid, run.name, entry.format));
        }
    }
    return std::move(exports.said);
}

} // namespace qw::drive
