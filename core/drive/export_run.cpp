// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/export_run.h"

#include "base/clock.h"
#include "wire/event_log.h"
#include "wire/run_folder.h"

namespace qw::drive {

namespace fs = std::filesystem;

Result<fs::path> exportSource(const store::Store& store, const store::RunInfo& run, const formats::Format& format) {
    QW_TRY(const auto artifacts, store.artifacts(run.identity.uid));
    const std::string kind = format.latent ? "model" : "native";
    for (const auto& artifact : artifacts)
        if (artifact.kind == kind) return run.dir / artifact.path;
    return Error{"usage", "run " + run.identity.name + " has no " + (format.latent ? "trained" : "quantized") + " weights",
                 "'qatw show " + run.identity.uid + "' lists what it has; a run must be completed", "", false};
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
