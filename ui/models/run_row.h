// SPDX-License-Identifier: GPL-3.0-or-later
// What: one run as the list of runs shows it: plain values read from a snapshot, NaN or empty where there is none.
// Why here: made on a worker's thread, so that ten thousand runs never hold the window up; sorting and filtering touch only these.
#pragma once

#include "client/snapshot.h"

#include <QString>
#include <QStringList>
#include <memory>
#include <vector>

namespace qw::ui {

enum class RunWord : uint8_t {
    Draft,
    Queued,
    Preparing,
    Training,
    Evaluating,
    Exporting,
    Paused,
    Stopping,
    Done,
    Stopped,
    Failed,
    Interrupted
};
[[nodiscard]] QString wordText(RunWord word);  // "Training", translated
[[nodiscard]] QString wordIcon(RunWord word);  // of resources/icons
[[nodiscard]] QString wordToken(RunWord word); // what a filter writes: "training"
[[nodiscard]] bool isActive(RunWord word);     // an engine works on it
[[nodiscard]] RunWord runWord(const store::RunInfo& run, bool studyDriven);

struct RunRow {
    QString uid, name, study, scheme, model, notes, tags; // tags: joined by blanks
    QStringList tagList;
    QString role; // "float", "float_trained", "ptq", "qat"
    RunWord state = RunWord::Draft;
    QString error;  // why it failed
    int colour = 0; // Theme::series
    double seed = 0;
    double bits, bytes, step, totalSteps, loss, bestEval, hellaswag, wordPpl, recovered, seconds; // hellaswag: a share of 1
    bool bytesForecast = false;
    QString recoveredMetric; // "hellaswag acc_norm"
    qint64 createdMs = 0, trashedMs = 0;
    bool operator==(const RunRow&) const;
};
using RunRows = std::shared_ptr<const std::vector<RunRow>>;

[[nodiscard]] RunRows runRows(const Snapshot& snapshot, qint64 nowMs); // in the snapshot's order

} // namespace qw::ui
