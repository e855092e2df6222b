// SPDX-License-Identifier: GPL-3.0-or-later
// What: from events.qlog to rows, batch by batch: read and parse outside, apply and note the place in one transaction.
#include "base/clock.h"
#include "base/files.h"
#include "store/store_state.h"
#include "wire/json_events.h"

#include <algorithm>

namespace qw::store {
namespace {

constexpr size_t kBatch = 1000;      // records a transaction: well under 50 ms
constexpr int64_t kLeaseMs = 10'000; // engine.md 6

enum class Turn { Mine, Other, Moved };

// Whose run is it, and is the database still where this process thinks it is? Inside the transaction.
Result<Turn> takeTurn(Database& db, const StoreState& state, int64_t run, int64_t seq) {
    std::string owner;
    int64_t until = 0, have = 0;
    QW_CHECK(db.query("SELECT coalesce(ingest_owner, ''), coalesce(ingest_until, 0), ingest_seq FROM run WHERE id=?", {run},
                      [&](const Row& row) {
                          owner = row.text(0);
                          until = row.integer(1);
                          have = row.integer(2);
                      }));
    if (!owner.empty() && owner != state.owner && until > wallMs() && ownerAlive(owner)) return Turn::Other;
    return have == seq ? Turn::Mine : Turn::Moved;
}

Result<std::vector<LoggedEvent>> parse(const wire::RunFolder& folder, const std::vector<wire::LogRecord>& records) {
    std::vector<LoggedEvent> events;
    events.reserve(records.size());
    for (const wire::LogRecord& record : records) {
        LoggedEvent& logged = events.emplace_back();
        logged.seq = record.seq;
        auto event = wire::eventFromJson(record.json);
        if (!event) {
            // Its checksum is right, so it was written like this: keep it, go on.
            const wire::Notice notice{
                false, event.error().code, "record " + std::to_string(record.seq) + " of the event log: " + event.error().message, {}, {}};
            logged.event.tsMs = 0;
            logged.event.payload = notice;
            continue;
        }
        logged.event = *std::move(event);
        if (const auto* done = std::get_if<wire::EvalDone>(&logged.event.payload); done && !done->result.itemsPath.empty()) {
            auto items = readItems(folder, done->result.itemsPath);
            if (items)
                logged.items = *std::move(items);
            else
                logged.itemsProblem = items.error().message;
        }
    }
    return events;
}

bool isDurable(const LoggedEvent& e) { return !wire::isCoalescable(e.event.payload); }

struct Batch {
    const std::vector<LoggedEvent>& events;
    int64_t before;       // seq before the first
    wire::LogPlace place; // of the last
    uint64_t offset;      // behind it
};

Result<Turn> applyBatch(StoreState& state, Projector& projector, const Batch& batch) {
    Database& db = std::ranges::any_of(batch.events, isDurable) ? state.durable : state.bulk();
    Transaction transaction(db);
    QW_CHECK(transaction.begin());
    const int64_t run = projector.runId();
    QW_TRY(const Turn turn, takeTurn(db, state, run, batch.before));
    if (turn != Turn::Mine) return turn;
    // The engine is back: what was said about its death is no fact of the log.
    QW_CHECK(db.run("UPDATE run SET state=lost, ended_ms=NULL, lost=NULL, lost_error=NULL WHERE id=? AND lost IS NOT NULL", {run}));
    for (const LoggedEvent& e : batch.events) QW_CHECK(projector.apply(db, e));
    QW_CHECK(projector.save(db));
    QW_CHECK(db.run("UPDATE run SET ingest_seq=?, ingest_offset=?, ingest_start=?, ingest_crc=?, ingest_owner=?, ingest_until=? WHERE id=?",
                    {batch.events.back().seq, static_cast<int64_t>(batch.offset), static_cast<int64_t>(batch.place.start),
                     int64_t{batch.place.crc}, state.owner, wallMs() + kLeaseMs, run}));
    QW_CHECK(transaction.commit());
    return turn;
}

// The log no longer has the place where projection stopped (a power failure took its tail): start the run over.
Result<Turn> startOver(StoreState& state, int64_t run, int64_t seq) {
    Transaction transaction(state.durable);
    QW_CHECK(transaction.begin());
    QW_TRY(const Turn turn, takeTurn(state.durable, state, run, seq));
    if (turn != Turn::Mine) return turn;
    QW_CHECK(Projector::clear(state.durable, run));
    QW_CHECK(transaction.commit());
    return turn;
}

Result<RunCursor> cursorFor(StoreState& state, const wire::RunFolder& folder, const std::string& uid) {
    int64_t id = 0;
    wire::LogPlace place;
    QW_CHECK(state.durable.query("SELECT id, ingest_seq, ingest_start, ingest_crc FROM run WHERE uid=?", {uid}, [&](const Row& row) {
        id = row.integer(0);
        place = {row.integer(1), static_cast<uint64_t>(row.integer(2)), static_cast<uint32_t>(row.integer(3))};
    }));
    return RunCursor{wire::EventLogReader(folder.events(), place), Projector(id)};
}

Result<std::string> knownUid(StoreState& state, const wire::RunFolder& folder) {
    const int64_t stamp = fileStamp(folder.identity());
    const std::string dir = folder.dir.lexically_relative(state.project).string();
    std::error_code missing;
    const bool noConfig = !std::filesystem::exists(folder.resolvedConfig(), missing);
    QW_TRY(std::string uid,
           state.durable.text("SELECT uid FROM run WHERE dir=? AND identity_stamp=? AND (config<>'{}' OR ?)", {dir, stamp, noConfig}));
    if (!uid.empty()) return uid;
    QW_TRY(const records::RunIdentity identity, wire::readIdentity(folder));
    QW_CHECK(state.putIdentity(folder, identity, stamp));
    return identity.uid;
}

} // namespace

Result<IngestReport> Store::ingestRun(const wire::RunFolder& given) {
    StoreState& state = *m_state;
    QW_CHECK(state.needWrite());
    const wire::RunFolder folder{std::filesystem::absolute(given.dir).lexically_normal()};
    QW_TRY(const std::string uid, knownUid(state, folder));
    IngestReport report;
    std::error_code missing;
    if (!std::filesystem::exists(folder.events(), missing)) return report;
    for (;;) {
        if (!state.cursors.contains(uid)) {
            QW_TRY(RunCursor fresh, cursorFor(state, folder, uid));
            state.cursors.emplace(uid, std::move(fresh));
        }
        RunCursor& cursor = state.cursors.at(uid);
        const int64_t before = cursor.reader.lastSeq();
        // Until the batch is in, the cursor is ahead of the database; an early return forgets it.
        struct Forget {
            StoreState& state;
            const std::string& uid;
            bool keep = false;
            ~Forget() {
                if (!keep) state.cursors.erase(uid);
            }
        } forget{state, uid};
        QW_TRY(const auto records, cursor.reader.read(kBatch));
        if (cursor.reader.placeLost()) {
            QW_TRY(const Turn turn, startOver(state, cursor.projector.runId(), before));
            if (turn == Turn::Other) return report;
            state.note("the event log of run " + uid + " was cut; its facts were read again from the start");
            continue;
        }
        if (records.empty()) {
            forget.keep = true;
            return report;
        }
        QW_TRY(const auto events, parse(folder, records));
        QW_TRY(const Turn turn, applyBatch(state, cursor.projector, {events, before, cursor.reader.place(), cursor.reader.offset()}));
        if (turn == Turn::Other) {
            report.ownedByOther = true;
            return report;
        }
        if (turn == Turn::Moved) continue;
        forget.keep = true;
        report.events += static_cast<int64_t>(events.size());
    }
}

Status StoreState::markInterrupted(const wire::RunFolder& folder, const std::string& uid) {
    int64_t id = 0, seq = 0, step = 0, started = 0, last = 0;
    QW_CHECK(durable.query("SELECT r.id, r.ingest_seq, r.step, coalesce((SELECT max(started_ms) FROM run_attempt WHERE run_id=r.id), 0), "
                           "r.last_event_ms FROM run AS r "
                           "WHERE r.uid=? AND r.state IN('starting','running','pausing','paused','stopping')",
                           {uid}, [&](const Row& row) {
                               id = row.integer(0);
                               seq = row.integer(1);
                               step = row.integer(2);
                               started = row.integer(3);
                               last = row.integer(4);
                           }));
    if (id == 0) return {};
    const std::string error = errorToJson(interruptedError(folder, started, step));
    // ingest_seq unchanged: nobody has read a newer word of the engine in between.
    return durable.run(
        "UPDATE run SET lost=state, state='interrupted', ended_ms=?, lost_error=? WHERE id=? AND ingest_seq=? AND lost IS NULL",
        {last, error, id, seq});
}

Status Store::sync() {
    StoreState& state = *m_state;
    QW_CHECK(state.needWrite());
    QW_CHECK(state.syncStudies());
    for (const wire::RunFolder& folder : wire::listRunFolders(state.project)) {
        std::error_code missing;
        const std::string dir = folder.dir.lexically_relative(state.project).string();
        const auto size = std::filesystem::exists(folder.events(), missing) ? std::filesystem::file_size(folder.events(), missing) : 0;
        std::string uid, runState;
        QW_CHECK(state.durable.query("SELECT uid, state FROM run WHERE dir=? AND identity_stamp=? AND ingest_offset=? AND config<>'{}'",
                                     {dir, fileStamp(folder.identity()), static_cast<int64_t>(size)}, [&](const Row& row) {
                                         uid = row.text(0);
                                         runState = row.text(1);
                                     }));
        const bool current = !uid.empty();
        if (current && records::isEnded(records::stateFromName(runState).value_or(records::RunState::Created))) continue;
        const bool live = wire::isLive(folder); // before the log is read: what a dead engine wrote is then all there
        if (!current) {
            const auto report = ingestRun(folder);
            if (!report) {
                if (report.error().code == "store.locked" || report.error().code == "disk.full") return report.error();
                state.note(report.error().message);
                continue;
            }
            if (report->ownedByOther) continue;
            QW_TRY(uid, state.durable.text("SELECT uid FROM run WHERE dir=?", {dir}));
        }
        if (!live) QW_CHECK(state.markInterrupted(folder, uid));
    }
    return {};
}

} // namespace qw::store
