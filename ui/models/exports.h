// SPDX-License-Identifier: GPL-3.0-or-later
// What: what the window knows about exporting a run: the verdict of every format, earlier exports with their sheets, the target folder.
// Why here: the dialog and the details of a run show the same facts; everything here reads files and runs off the GUI thread.
#pragma once

#include "client/worker.h"
#include "drive/checkpoint_folders.h"
#include "drive/export_run.h"
#include "formats/format.h"
#include "store/store.h"

#include <QJsonObject>
#include <QString>
#include <vector>

namespace qw::ui {

// A run, what it has written, and its checkpoints.
struct ExportSources {
    store::RunInfo run;
    std::vector<store::ArtifactInfo> artifacts;
    std::vector<drive::ExportableStep> steps;
};
[[nodiscard]] Result<ExportSources> exportSources(const store::Store& store, const QString& run);

// The weights of a run that can leave: what it ended with, then its checkpoints, the newest first.
struct ExportWeights {
    int64_t step = drive::kEndOfRun;
    QString text; // "step 150, the last", "step 75, the best"
};
[[nodiscard]] std::vector<ExportWeights> exportWeights(const ExportSources& sources);

struct FormatVerdict {
    const formats::Format* format = nullptr;
    formats::Verdict verdict; // a folder that cannot be read makes it unsupported, with the reason
};
// Every format of the registry in its order; fewer when cancelled. step: drive::kEndOfRun, or one that folders were made of.
[[nodiscard]] std::vector<FormatVerdict> judgeFormats(const ExportSources& sources, int64_t step, const CancelFlag& cancelled);
[[nodiscard]] QString fidelityText(formats::Fidelity fidelity); // "exact"

// What a sheet says, as `qatw export --json` prints it and the store keeps it.
struct PastExport {
    QString dir, format, title; // title: of the format; format: its name
    QString hash;               // of config and weights when they were written
    int64_t bytes = 0, createdMs = 0, step = drive::kEndOfRun;
    bool verified = false, missing = false; // missing: the folder is gone
    QJsonObject sheet;
};
[[nodiscard]] std::vector<PastExport> pastExports(const std::vector<store::ArtifactInfo>& artifacts); // newest first
[[nodiscard]] QString sheetWord(const PastExport& one); // "✓ verified", "✗ UNVERIFIED", …
[[nodiscard]] QString formatTitle(const QString& name); // the name itself when unknown

// Reads an export again and holds it against the codes that it was made from: the sheet with new checks in front, verified or not.
// An Error when it was stopped.
[[nodiscard]] Result<QJsonObject> checkAgain(const ExportSources& sources, const PastExport& one, const CancelFlag& cancelled);

struct TargetFolder {
    QString path; // absolute
    bool isEmpty = true, isExport = false;
    uint64_t freeBytes = 0; // 0: cannot be told
    QString problem;        // why nothing can be written there, whatever is ticked
};
[[nodiscard]] TargetFolder lookAtTarget(const QString& path);

} // namespace qw::ui
