// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/export_run.h"

#include "base/clock.h"
#include "checkpoint/shards.h"
#include "checkpoint/weight_files.h"
#include "wire/event_log.h"
#include "wire/run_folder.h"

namespace qw::drive {

namespace fs = std::filesystem;

namespace {

Result<const store::ArtifactInfo*> sourceOf(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts,
                                            const formats::Format& format) {
    const std::string kind = format.latent ? "model" : "native";
    for (const auto& artifact : artifacts)
        if (artifact.kind == kind) return &artifact;
    return Error{"usage", "run " + run.identity.name + " has no " + (format.latent ? "trained" : "quantized") + " weights",
                 "'qatw show " + run.identity.uid + "' lists what it has; a run must be completed", "", false};
}

} // namespace

Result<fs::path> exportFolder(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts, const formats::Format& format) {
    QW_TRY(const auto* artifact, sourceOf(run, artifacts, format));
    return run.dir / artifact->path;
}

// What was damaged since is not shipped.
Result<fs::path> exportSource(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts, const formats::Format& format) {
    QW_TRY(const auto* artifact, sourceOf(run, artifacts, format));
    const fs::path folder = run.dir / artifact->path;
    QW_TRY(const auto files, checkpoint::openWeightFiles(folder));
    QW_TRY(const std::string hash, checkpoint::weightsHash(files.files));
    if (artifact->hash.empty() || hash == artifact->hash) return folder;
    return Error{"file.corrupt", folder.string() + " is not what run " + run.identity.name + " wrote: its digest has changed",
                 "restore it from a backup, or run the study again", "", false};
}

Result<fs::path> exportSource(const store::Store& store, const store::RunInfo& run, const formats::Format& format) {
    QW_TRY(const auto artifacts, store.artifacts(run.identity.uid));
    return exportSource(run, artifacts, format);
}

Status recordExport(store::Store& store, const store::RunInfo& run, const fs::path& out, const formats::Exported& exported,
                    const std::string& info) {
    const wire::RunFolder folder{run.dir};
    QW_TRY(const auto lock, wire::takeRunLock(folder)); // one writer of the log
    QW_TRY(auto log, wire::EventLogWriter::open(folder.events()));
    wire::Artifact artifact;
    artifact.kind = "export";
    artifact.path = out.string();
    artifact.hash = exported.hash;
    artifact.info = info;
    artifact.bytes = static_cast<int64_t>(exported.bytes);
    wire::Event event;
    event.run = run.identity.uid;
    event.tsMs = wallMs();
    event.payload = artifact;
    if (const auto appended = log.append(event); !appended) return appended.error();
    QW_CHECK(log.sync());
    if (const auto projected = store.ingestRun(folder); !projected) return projected.error();
    return {};
}

} // namespace qw::drive
