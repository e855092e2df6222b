// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/export_run.h"

#include "base/clock.h"
#include "base/files.h"
#include "checkpoint/shards.h"
#include "checkpoint/weight_files.h"
#include "config/recipe_file.h"
#include "drive/checkpoint_folders.h"
#include "formats/staging.h"
#include "wire/event_log.h"
#include "wire/run_folder.h"

#include <nlohmann/json.hpp>

namespace qw::drive {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMaxFactsBytes = uint64_t{64} << 20;

// As the export says it, else as the files look.
Result<std::string> formatOf(const fs::path& folder) {
    if (const auto text = readFile(folder / formats::kExportFile, kMaxFactsBytes)) {
        const auto facts = nlohmann::json::parse(*text, nullptr, false);
        if (facts.is_object() && facts.contains("format") && facts["format"].is_string()) return facts["format"].get<std::string>();
    }
    QW_TRY(const auto files, checkpoint::Checkpoint::open(folder));
    return files.format();
}

Result<const store::ArtifactInfo*> sourceOf(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts,
                                            const formats::Format& format, int64_t step) {
    const std::string kind = std::string(step == kEndOfRun ? "" : kOfCheckpoint) + (format.latent ? "model" : "native");
    for (const auto& artifact : artifacts)
        if (artifact.kind == kind && (step == kEndOfRun || artifact.step == step)) return &artifact;
    return Error{"usage", "run " + run.identity.name + " has no " + (format.latent ? "trained" : "quantized") + " weights",
                 "'qatw show " + run.identity.uid + "' lists what it has; a run must be completed", "", false};
}

} // namespace

Result<fs::path> exportFolder(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts, const formats::Format& format,
                              int64_t step) {
    QW_TRY(const auto* artifact, sourceOf(run, artifacts, format, step));
    return run.dir / artifact->path;
}

// What was damaged since is not shipped.
Result<fs::path> exportSource(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts, const formats::Format& format,
                              int64_t step) {
    QW_TRY(const auto* artifact, sourceOf(run, artifacts, format, step));
    const fs::path folder = run.dir / artifact->path;
    QW_TRY(const auto files, checkpoint::openWeightFiles(folder));
    QW_TRY(const std::string hash, checkpoint::weightsHash(files.files));
    if (artifact->hash.empty() || hash == artifact->hash) return folder;
    return Error{"file.corrupt", folder.string() + " is not what run " + run.identity.name + " wrote: its digest has changed",
                 "restore it from a backup, or run the study again", "", false};
}

Result<fs::path> exportSource(const store::Store& store, const store::RunInfo& run, const formats::Format& format, int64_t step) {
    QW_TRY(const auto artifacts, store.artifacts(run.identity.uid));
    return exportSource(run, artifacts, format, step);
}

Result<Evaluation> evaluationOf(const store::RunInfo& run, const std::vector<store::ArtifactInfo>& artifacts, const fs::path& folder) {
    std::error_code error;
    const fs::path path = fs::absolute(folder, error).lexically_normal();
    Evaluation out;
    QW_TRY(out.recipe, config::parseRecipe(run.config, run.dir / "config.resolved.json"));
    if (out.recipe.eval.tasks.empty() && out.recipe.data.eval.empty())
        return Error{"usage", "run " + run.identity.name + " measured nothing: its recipe has neither eval.tasks nor data.eval",
                     "name tasks yourself: qatw eval " + path.string() + " --task wikitext=FILE", "", false};
    QW_TRY(std::string format, formatOf(path));
    for (const auto& artifact : artifacts)
        if (artifact.kind == "export" && artifact.path == path && artifact.step != kEndOfRun)
            format = "step " + std::to_string(artifact.step) + " · " + format;
    out.recipe.model = {};
    out.recipe.model.path = path.string();
    out.recipe.qat.reset(); // the folder says itself how it is quantized
    const records::RunIdentity& from = run.identity;
    records::RunIdentity& id = out.identity;
    id.kind = "eval";
    id.role = records::RowRole::Exported;
    id.name = from.name + " · " + format;
    id.method = std::string(records::roleName(from.role)) + (from.method.empty() ? "" : " " + from.method) + " · " + format;
    id.scheme = from.scheme;
    id.block = from.block;
    id.seed = from.seed;
    id.studyUid = from.studyUid;
    id.studyName = from.studyName;
    id.parentUid = from.uid;
    id.modelPath = out.recipe.model.path;
    return out;
}

Status appendArtifacts(store::Store& store, const store::RunInfo& run, const std::vector<wire::Artifact>& artifacts) {
    const wire::RunFolder folder{run.dir};
    QW_TRY(auto log, wire::EventLogWriter::open(folder.events()));
    for (const wire::Artifact& artifact : artifacts) {
        wire::Event event;
        event.run = run.identity.uid;
        event.tsMs = wallMs();
        event.payload = artifact;
        if (const auto appended = log.append(event); !appended) return appended.error();
    }
    QW_CHECK(log.sync());
    if (const auto projected = store.ingestRun(folder); !projected) return projected.error();
    return {};
}

Status recordExport(store::Store& store, const store::RunInfo& run, const fs::path& out, const formats::Exported& exported,
                    const std::string& info, int64_t step) {
    QW_TRY(const auto lock, wire::takeRunLock({run.dir})); // one writer of the log
    wire::Artifact artifact;
    artifact.kind = "export";
    artifact.path = out.string();
    artifact.hash = exported.hash;
    artifact.info = info;
    artifact.bytes = static_cast<int64_t>(exported.bytes);
    artifact.step = step;
    return appendArtifacts(store, run, {artifact});
}

} // namespace qw::drive
