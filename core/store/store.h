// SPDX-License-Identifier: GPL-3.0-or-later
// What: a project's SQLite store: projects events.qlog of the run folders exactly once, answers what was measured.
// Why here: the window, the tool and the supervisor share it; engines never touch it (engine.md 6).
// Limits: one thread an object; several processes may have the project open.
#pragma once

#include "base/result.h"
#include "store/project.h"
#include "store/rows.h"
#include "wire/run_folder.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qw::store {

enum class OpenMode : uint8_t { ReadWrite, ReadOnly };

struct IngestReport {
    int64_t events = 0;        // projected by this call
    bool ownedByOther = false; // another front end has the row lease; it will do it
};

struct StoreState; // store_state.h

class Store {
public:
    // Makes project and file when missing. A corrupt file is put aside as store.corrupt-<ms> and rebuilt from the run folders.
    // store.newer_schema is no error: the store opens read-only and notes() says why. store.locked, store.corrupt, file.permission,
    // disk.full.
    // networkFileSystem: empty = ask the file system; tests pretend.
    [[nodiscard]] static Result<Store> open(const std::filesystem::path& project, OpenMode mode = OpenMode::ReadWrite,
                                            std::optional<bool> networkFileSystem = std::nullopt);
    Store(Store&&) noexcept;
    Store& operator=(Store&&) noexcept;
    ~Store();

    [[nodiscard]] const std::filesystem::path& project() const;
    [[nodiscard]] bool readOnly() const;
    [[nodiscard]] const std::vector<std::string>& notes() const; // sentences for people: read-only, rebuilt, network file system …

    // --- projection ---
    // Everything of one run's log that is not in the store yet.
    [[nodiscard]] Result<IngestReport> ingestRun(const wire::RunFolder& folder);
    // All runs and studies of the project; runs in progress whose engine is gone become interrupted. Cheap when nothing is new.
    [[nodiscard]] Status sync();

    // --- studies ---
    [[nodiscard]] Result<StudyInfo> createStudy(const std::string& name);  // folder and row
    [[nodiscard]] Status putStudyRow(const StudyRow& row);                 // also in the study's rows.json; replaces the row's run
    [[nodiscard]] Result<std::vector<StudyInfo>> studies() const;          // newest first
    [[nodiscard]] Result<StudyInfo> study(const std::string& token) const; // uid, unique prefix or name (newest)
    [[nodiscard]] Result<std::vector<StudyRow>> studyRows(const std::string& studyUid) const;

    // --- runs ---
    [[nodiscard]] Result<std::vector<RunInfo>> runs(const RunFilter& filter = {}) const; // oldest first
    [[nodiscard]] Result<RunInfo> run(const std::string& token) const; // uid, unique prefix or unique name; file.not_found
    [[nodiscard]] Result<std::optional<RunInfo>> findCompleted(const std::string& key) const; // newest completed run with this key
    [[nodiscard]] Result<std::vector<RunRecord>> records() const; // all runs with their numbers, Trash included; one query a table
    [[nodiscard]] Result<std::vector<AttemptInfo>> attempts(const std::string& runUid) const;
    [[nodiscard]] Result<std::vector<ArtifactInfo>> artifacts(const std::string& runUid) const;
    [[nodiscard]] Result<std::vector<records::LayerInfo>> layers(const std::string& runUid) const;
    [[nodiscard]] Result<std::vector<EventInfo>> events(const std::string& runUid, int minLevel = 0, size_t newest = SIZE_MAX) const;

    // --- numbers ---
    [[nodiscard]] Result<std::vector<MetricSummary>> metrics(const std::string& runUid) const;
    [[nodiscard]] Result<SeriesData> series(const std::string& runUid, const std::string& metric, int64_t fromStep = INT64_MIN,
                                            int64_t toStep = INT64_MAX, size_t maxPoints = SIZE_MAX) const;
    [[nodiscard]] Result<std::vector<LayerStatSummary>> layerStats(const std::string& runUid) const;
    [[nodiscard]] Result<SeriesData> layerSeries(const std::string& runUid, const std::string& layer, const std::string& kind) const;
    [[nodiscard]] Result<std::vector<StoredResult>> results(const std::string& runUid) const; // oldest first
    [[nodiscard]] Result<std::vector<records::EvalItem>> items(const std::string& resultUid) const;

    // --- what people change; name, notes, tags, colour and Trash are mirrored to run.json ---
    [[nodiscard]] Status setName(const std::string& runUid, const std::string& name);
    [[nodiscard]] Status setUserFields(const std::string& runUid, const std::string& notes, const std::vector<std::string>& tags,
                                       const std::string& colour);
    [[nodiscard]] Status setQueuePos(const std::string& runUid, std::optional<int64_t> position);
    [[nodiscard]] Status setFlag(const std::string& key, const std::string& value); // project flags, e.g. "queue.paused"
    [[nodiscard]] Result<std::string> flag(const std::string& key) const;           // empty when not set

    // --- Trash: folders stay on disk until they are deleted ---
    [[nodiscard]] Status setTrashed(const std::string& runUid, bool trashed); // engine.busy while the run is live
    [[nodiscard]] Result<std::vector<TrashedRun>> trash() const;              // walks the folders for their bytes
    [[nodiscard]] Status deleteTrashed(const std::string& runUid);            // for good, folder and row

    // --- queue of studies (flag queue.order): who is earlier starts its jobs first ---
    [[nodiscard]] Status enqueue(const std::string& studyUid); // at the end, unless it is there
    [[nodiscard]] Status dequeue(const std::string& studyUid);
    [[nodiscard]] Result<std::vector<std::string>> queueOrder() const;

    // Differs from an earlier one as soon as anything was committed since, by us or by another process. Cheap.
    [[nodiscard]] Result<std::string> changeToken() const;

    // --- maintenance ---
    [[nodiscard]] Result<std::vector<std::string>> check() const;         // problems; empty: sound
    [[nodiscard]] Status backup(const std::filesystem::path& file) const; // VACUUM INTO; the file must not exist
    // Replaces the store by one made from the run folders alone; the old file is kept as store.old-<ms>. store.locked while others have it
    // open.
    [[nodiscard]] static Status rebuild(const std::filesystem::path& project);

private:
    explicit Store(std::unique_ptr<StoreState> state);
    std::unique_ptr<StoreState> m_state;
};

} // namespace qw::store
