// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/ids.h"
#include "store/store_state.h"

#include <algorithm>
#include <sys/stat.h>
#include <unistd.h>

namespace qw::store {
namespace {

// The file and what SQLite keeps beside it, as one.
Status moveAside(const std::filesystem::path& file, const std::filesystem::path& target) {
    std::error_code code;
    for (const char* suffix : {"", "-wal", "-journal"}) {
        const std::filesystem::path from = file.string() + suffix;
        if (!std::filesystem::exists(from, code)) continue;
        std::filesystem::rename(from, target.string() + suffix, code);
        if (code) return errnoError(code.value(), "rename", from);
    }
    std::filesystem::remove(file.string() + "-shm", code);
    return {};
}

void keepNewest(const std::filesystem::path& dir, const std::string& prefix, size_t keep) {
    std::vector<std::filesystem::path> found;
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator(dir, code)) {
        const std::string name = entry.path().filename();
        if (name.starts_with(prefix) && !name.ends_with("-wal") && !name.ends_with("-journal")) found.push_back(entry.path());
    }
    std::ranges::sort(found);
    for (size_t i = 0; i + keep < found.size(); ++i)
        for (const char* suffix : {"", "-wal", "-journal"}) std::filesystem::remove(found[i].string() + suffix, code);
}

std::string runCount(size_t runs) { return std::to_string(runs) + (runs == 1 ? " run" : " runs"); }

} // namespace

Store::Store(std::unique_ptr<StoreState> state) : m_state(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const std::filesystem::path& project, OpenMode mode, std::optional<bool> networkFileSystem) {
    auto state = std::make_unique<StoreState>();
    state->project = std::filesystem::absolute(project).lexically_normal();
    if (!state->project.has_filename()) state->project = state->project.parent_path(); // "dir/"
    state->file = wire::storeFile(state->project);
    std::error_code missing;
    if (mode == OpenMode::ReadOnly) {
        if (!std::filesystem::exists(state->file, missing))
            return Error{"file.not_found",
                         "there is no project at " + state->project.string(),
                         "name the folder of a project with --project",
                         {},
                         false};
    } else {
        QW_CHECK(makeDirs(state->project));
        if (::access(state->project.c_str(), W_OK) != 0) return errnoError(errno, "write to", state->project);
    }
    state->networkFs = networkFileSystem.value_or(wire::isNetworkFileSystem(state->project));
    const Status opened = state->openFiles(mode);
    if (opened) return Store(std::move(state));
    if (opened.error().code != "store.corrupt" || mode == OpenMode::ReadOnly) return opened.error();

    const std::string why = opened.error().message;
    state->closeFiles();
    const std::string aside = "store.corrupt-" + std::to_string(wallMs());
    QW_CHECK(moveAside(state->file, state->project / aside));
    QW_CHECK(state->openFiles(mode));
    Store store(std::move(state));
    QW_CHECK(store.sync());
    QW_TRY(const auto runs, store.runs());
    store.m_state->note("the store was damaged (" + why + "); it was put aside as " + aside + " and made again from the run folders: " +
                        runCount(runs.size()) + ". Queue order and project flags were in the store alone and are lost");
    return store;
}

const std::filesystem::path& Store::project() const { return m_state->project; }
bool Store::readOnly() const { return m_state->readOnly; }
const std::vector<std::string>& Store::notes() const { return m_state->notes; }

Result<std::vector<std::string>> Store::check() const {
    std::vector<std::string> problems;
    QW_CHECK(m_state->durable.query("PRAGMA integrity_check", {}, [&](const Row& row) {
        if (row.text(0) != "ok") problems.push_back(row.text(0));
    }));
    QW_CHECK(m_state->durable.query("PRAGMA foreign_key_check", {}, [&](const Row& row) {
        problems.push_back("a row of " + row.text(0) + " refers to a missing row of " + row.text(2));
    }));
    QW_CHECK(m_state->durable.query("SELECT uid, dir FROM run", {}, [&](const Row& row) {
        std::error_code missing;
        if (!std::filesystem::exists(m_state->project / row.text(1), missing))
            problems.push_back("the folder of run " + row.text(0) + " is gone: " + row.text(1));
    }));
    return problems;
}

Status Store::backup(const std::filesystem::path& file) const {
    std::error_code missing;
    if (std::filesystem::exists(file, missing))
        return Error{"file.unsafe", file.string() + " exists", "choose a new name for the backup", {}, false};
    const std::filesystem::path temporary = file.string() + ".tmp." + std::to_string(::getpid());
    const Status made = m_state->durable.run("VACUUM INTO ?", {temporary.string()});
    if (made) std::filesystem::rename(temporary, file, missing);
    if (made && !missing) return {};
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    if (!made) return made.error();
    return errnoError(missing.value(), "write", file);
}

Status Store::rebuild(const std::filesystem::path& given) {
    const auto project = std::filesystem::absolute(given).lexically_normal();
    const auto file = wire::storeFile(project);
    std::error_code code;
    if (!std::filesystem::is_directory(project, code))
        return Error{
            "file.not_found", "there is no project at " + project.string(), "name the folder of a project with --project", {}, false};
    if (::access(project.c_str(), W_OK) != 0) return errnoError(errno, "write to", project);
    if (std::filesystem::exists(file, code)) {
        Database old;
        bool inUse = false;
        // A file that cannot be read at all is just what a rebuild is for.
        if (old.open(file, true))
            static_cast<void>(old.query("SELECT substr(key, 6) FROM meta WHERE key GLOB 'open:*'", {},
                                        [&](const Row& row) { inUse = inUse || ownerAlive(row.text(0)); }));
        if (inUse)
            return Error{"store.locked",
                         "the project " + project.string() + " is open in another program",
                         "close it, or wait until its study is done, and try again",
                         {},
                         true};
    }
    auto state = std::make_unique<StoreState>();
    state->project = project;
    state->file = file.string() + ".rebuild-" + std::to_string(::getpid());
    state->networkFs = wire::isNetworkFileSystem(project);
    const std::filesystem::path fresh = state->file;
    const Status built = [&]() -> Status {
        QW_CHECK(state->openFiles(OpenMode::ReadWrite));
        Store store(std::move(state));
        return store.sync();
    }();
    if (!built) {
        for (const char* suffix : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove(fresh.string() + suffix, code);
        return built;
    }
    QW_CHECK(moveAside(file, project / ("store.old-" + std::to_string(wallMs()))));
    std::filesystem::rename(fresh, file, code);
    if (code) return errnoError(code.value(), "rename to", file);
    keepNewest(project, "store.old-", 1);
    return fsyncDir(project);
}

Status Store::setUserFields(const std::string& runUid, const std::string& notes, const std::vector<std::string>& tags,
                            const std::string& colour) {
    QW_CHECK(m_state->needWrite());
    QW_TRY(const RunInfo info, run(runUid));
    const wire::RunFolder folder{info.dir};
    // The folder first: it is what a rebuild sees.
    QW_TRY(records::RunIdentity identity, wire::readIdentity(folder));
    identity.notes = notes;
    identity.tags = tags;
    identity.colour = colour;
    QW_CHECK(wire::writeIdentity(folder, identity));
    return m_state->durable.run("UPDATE run SET notes=?, tags=?, colour=?, identity_stamp=? WHERE uid=?",
                                {notes, tagsToJson(tags), colour, fileStamp(folder.identity()), info.identity.uid});
}

Status Store::setQueuePos(const std::string& runUid, std::optional<int64_t> position) {
    QW_CHECK(m_state->needWrite());
    return m_state->durable.run("UPDATE run SET queue_pos=? WHERE uid=?", {position, runUid});
}

Result<std::string> Store::changeToken() const {
    QW_TRY(const auto others, m_state->durable.integer("PRAGMA data_version"));
    QW_TRY(const auto own, m_state->durable.integer("SELECT total_changes()"));
    return std::to_string(others.value_or(0)) + ":" + std::to_string(own.value_or(0));
}

Status Store::setFlag(const std::string& key, const std::string& value) {
    QW_CHECK(m_state->needWrite());
    return m_state->durable.run("INSERT OR REPLACE INTO meta(key, value) VALUES('flag:'||?, ?)", {key, value});
}

Result<std::string> Store::flag(const std::string& key) const {
    return m_state->durable.text("SELECT value FROM meta WHERE key='flag:'||?", {key});
}

} // namespace qw::store
