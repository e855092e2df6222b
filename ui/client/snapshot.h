// SPDX-License-Identifier: GPL-3.0-or-later
// What: the facts of a project that several views need at once, read in one go on the store's thread and then never changed.
// Limits: facts only; degradation, recovered share and the like are computed where they are shown (ui.md 1.6).
#pragma once

#include "store/rows.h"

#include <QHash>
#include <QString>
#include <memory>
#include <vector>

namespace qw::ui {

struct RunFacts {
    store::RunInfo info;
    std::vector<store::MetricSummary> metrics;
    std::vector<store::StoredResult> results; // oldest first
    int64_t nativeBytes = 0, modelBytes = 0;  // of its artifacts; 0: none
    bool hasCheckpoints = false;              // that were saved; the newest of them are on disk
    [[nodiscard]] bool hasWeights() const { return nativeBytes > 0 || modelBytes > 0 || hasCheckpoints; }
};

struct StudyFacts {
    store::StudyInfo info;
    std::vector<store::StudyRow> rows;
    bool driven = false; // a supervisor holds its lock
};

struct Snapshot {
    QString project;
    bool readOnly = false;
    QStringList notes;                 // of the store: read-only, rebuilt, …
    std::vector<RunFacts> runs;        // oldest first, those in Trash included
    std::vector<StudyFacts> studies;   // newest first
    QHash<QString, QString> flags;     // queue.paused, compare.baseline …
    QHash<QString, qsizetype> indexOf; // run uid -> runs

    [[nodiscard]] const RunFacts* run(const QString& uid) const {
        const auto at = indexOf.constFind(uid);
        return at == indexOf.cend() ? nullptr : &runs[static_cast<size_t>(*at)];
    }
};
// The number of a run's colour, dash and marker (Theme::series), the same in every view: what was stored with it, else its place.
[[nodiscard]] inline int colourOf(const Snapshot& snapshot, const RunFacts& run) {
    bool stored = false;
    const int number = QString::fromStdString(run.info.identity.colour).toInt(&stored);
    return stored && number >= 0 ? number : static_cast<int>(&run - snapshot.runs.data());
}
using SnapshotPtr = std::shared_ptr<const Snapshot>;

} // namespace qw::ui
