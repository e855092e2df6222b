// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store_state.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/files.h"
#include "base/ids.h"
#include "store/schema.h"
#include "wire/run_marks.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sqlite3.h>
#include <sys/stat.h>

namespace qw::store {
namespace {

constexpr int kBusyMs = 5000;

Status setUp(Database& db, bool readOnly, bool networkFs, bool durable) {
    sqlite3_busy_timeout(db.handle(), kBusyMs);
    // Also the first touch of the file: a foreign or damaged one is refused here.
    QW_CHECK(db.script("PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"));
    if (readOnly) return db.script("PRAGMA query_only=ON;");
    if (networkFs) return db.script("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL;");
    QW_CHECK(db.script(
        "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=67108864; PRAGMA mmap_size=268435456;"));
    return db.script(durable ? "PRAGMA synchronous=FULL;" : "PRAGMA synchronous=NORMAL;");
}

} // namespace

bool ownerAlive(const std::string& owner) {
    const size_t first = owner.find('|'), second = owner.find('|', first + 1), third = owner.find('|', second + 1);
    if (first == std::string::npos || second == std::string::npos || third == std::string::npos) return false;
    const wire::LockHolder me = wire::thisProcess();
    if (owner.substr(0, first) != me.host) return true; // cannot be asked; its lease runs out
    if (owner.substr(second + 1, third - second - 1) != me.bootId) return false;
    const auto pid = static_cast<pid_t>(std::strtol(owner.c_str() + first + 1, nullptr, 10));
    return pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM);
}

int64_t fileStamp(const std::filesystem::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) return 0;
    return int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

StoreState::~StoreState() { closeFiles(); }

void StoreState::note(std::string sentence) {
    if (std::ranges::find(notes, sentence) == notes.end()) notes.push_back(std::move(sentence));
}

Status StoreState::needWrite() const {
    if (!readOnly) return {};
    return Error{"file.permission",
                 file.string() + " is open for reading only" + (notes.empty() ? "" : ": " + notes.front()),
                 "use a writable project, or the newer version of this program",
                 {},
                 false};
}

Status StoreState::openFiles(OpenMode mode) {
    readOnly = mode == OpenMode::ReadOnly;
    QW_CHECK(durable.open(file, readOnly));
    sqlite3_busy_timeout(durable.handle(), kBusyMs);
    auto asked = durable.integer("PRAGMA user_version");
    const bool immutable = !asked && readOnly && asked.error().code == "file.permission";
    if (immutable) {
        // WAL wants its files beside the store even for reading; what is not in the store proper is in the run folders.
        durable.close();
        QW_CHECK(durable.open(file, true, true));
        asked = durable.integer("PRAGMA user_version");
    }
    QW_TRY(const auto version, std::move(asked));
    QW_TRY(const auto application, durable.integer("PRAGMA application_id"));
    if (application.value_or(0) != 0 && application.value_or(0) != kApplicationId)
        return Error{
            "file.unsafe", file.string() + " belongs to another program", "choose another project folder with --project", {}, false};
    if (version.value_or(0) > kSchemaVersion && !readOnly) {
        note("the store is of version " + std::to_string(version.value_or(0)) + ", this program knows " + std::to_string(kSchemaVersion) +
             ": opened for reading only; update this program to write");
        durable.close();
        readOnly = true;
        QW_CHECK(durable.open(file, true));
    }
    if (networkFs && !readOnly)
        note(project.string() +
             " lies on a network file system: only one program can have the project open; a local folder is faster and safer");
    QW_CHECK(setUp(durable, readOnly, networkFs, true));
    if (readOnly) {
        if (version.value_or(0) == 0)
            return Error{"file.not_found", file.string() + " is empty", "open the project for writing once", {}, false};
        return {};
    }
    QW_CHECK(migrate(durable, file));
    if (application.value_or(0) == 0) QW_CHECK(durable.script("PRAGMA application_id=" + std::to_string(kApplicationId)));
    std::vector<std::string> dead;
    QW_CHECK(durable.query("SELECT substr(key, 6) FROM meta WHERE key GLOB 'open:*'", {}, [&](const Row& row) {
        if (!ownerAlive(row.text(0))) dead.push_back(row.text(0));
    }));
    if (!dead.empty()) {
        QW_TRY(const std::string verdict, durable.text("PRAGMA quick_check(1)"));
        if (verdict != "ok") return Error{"store.corrupt", file.string() + ": " + verdict, "run 'qatw store rebuild'", {}, false};
        for (const std::string& key : dead) QW_CHECK(durable.run("DELETE FROM meta WHERE key='open:'||?", {key}));
    }
    const wire::LockHolder me = wire::thisProcess();
    owner = me.host + "|" + std::to_string(me.pid) + "|" + me.bootId + "|" + newUlid();
    QW_CHECK(durable.run("INSERT OR REPLACE INTO meta(key, value) VALUES('open:'||?, ?)", {owner, std::to_string(wallMs())}));
    if (networkFs) return {};
    QW_CHECK(bulkOnly.open(file, false));
    return setUp(bulkOnly, false, false, false);
}

void StoreState::closeFiles() {
    cursors.clear();
    if (durable.isOpen() && !readOnly && !owner.empty()) {
        // Nobody is left to tell about an error; a flag that stays costs the next one a quick_check.
        static_cast<void>(durable.run("UPDATE run SET ingest_owner=NULL, ingest_until=NULL WHERE ingest_owner=?", {owner}));
        static_cast<void>(durable.run("DELETE FROM meta WHERE key='open:'||?", {owner}));
        static_cast<void>(durable.script("PRAGMA optimize"));
    }
    leases.clear();
    bulkOnly.close();
    durable.close();
}

Result<int64_t> StoreState::experiment(const std::string& uid, const std::string& name, int64_t createdMs) {
    QW_CHECK(durable.run("INSERT OR IGNORE INTO experiment(uid, name, created_ms) VALUES(?,?,?)", {uid, name, createdMs}));
    QW_TRY(const auto id, durable.integer("SELECT id FROM experiment WHERE uid=?", {uid}));
    return id.value_or(0);
}

Result<int64_t> StoreState::putIdentity(const wire::RunFolder& folder, const records::RunIdentity& identity, int64_t stamp) {
    const std::string& study = identity.studyUid;
    const auto configText = readFile(folder.resolvedConfig(), 64 << 20);
    std::string config = configText ? *configText : "{}";
    QW_TRY(const auto valid, durable.integer("SELECT json_valid(?)", {config}));
    if (valid.value_or(0) == 0) config = "{}";
    const std::string hash = config == "{}" ? "" : xxh3Hex(config);
    const std::string dir = folder.dir.lexically_relative(project).string();
    const int64_t trashedMs = wire::readMarks(folder).trashedMs;
    QW_TRY(const int64_t experimentId,
           study.empty() ? experiment(kNoStudy, "single runs", 0) : experiment(study, identity.studyName, identity.createdMs));
    QW_CHECK(durable.run("INSERT INTO run(uid, experiment_id, parent_id, kind, name, dir, state, scheme, config, config_hash, env, seed, "
                         "created_ms, role, method, block, key, "
                         "model_path, parent_uid, build_id, tags, notes, colour, identity_stamp, trashed_ms) "
                         "VALUES(?1,?2,(SELECT id FROM run WHERE "
                         "uid=?3),?4,?5,?6,'created',?7,?8,?9,'{}',?10,?11,?12,?13,?14,?15,?16,?3,?17,?18,?19,?20,?21,?22) "
                         "ON CONFLICT(uid) DO UPDATE SET experiment_id=excluded.experiment_id, parent_id=excluded.parent_id, "
                         "name=excluded.name, dir=excluded.dir, "
                         "scheme=excluded.scheme, config=excluded.config, config_hash=excluded.config_hash, seed=excluded.seed, "
                         "role=excluded.role, method=excluded.method, "
                         "block=excluded.block, key=excluded.key, model_path=excluded.model_path, parent_uid=excluded.parent_uid, "
                         "build_id=excluded.build_id, "
                         "tags=excluded.tags, notes=excluded.notes, colour=excluded.colour, identity_stamp=excluded.identity_stamp, "
                         "trashed_ms=excluded.trashed_ms",
                         {identity.uid,
                          experimentId,
                          identity.parentUid,
                          identity.kind,
                          identity.name,
                          dir,
                          identity.scheme,
                          config,
                          hash,
                          static_cast<int64_t>(identity.seed),
                          identity.createdMs,
                          records::roleName(identity.role),
                          identity.method,
                          identity.block,
                          identity.key,
                          identity.modelPath,
                          identity.buildId,
                          tagsToJson(identity.tags),
                          identity.notes,
                          identity.colour,
                          stamp,
                          trashedMs > 0 ? std::optional(trashedMs) : std::nullopt}));
    QW_TRY(const auto id, durable.integer("SELECT id FROM run WHERE uid=?", {identity.uid}));
    return id.value_or(0);
}

} // namespace qw::store
