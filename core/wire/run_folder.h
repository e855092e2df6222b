// SPDX-License-Identifier: GPL-3.0-or-later
// What: the files of one run's folder (engine.md 4) and of a project, by name; run.json; run.lock.
#pragma once

#include "base/result.h"
#include "records/run.h"
#include "wire/lock_file.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qw::wire {

using RunLock = LockFile;

struct RunFolder {
    std::filesystem::path dir;

    [[nodiscard]] std::filesystem::path config() const { return dir / "config.yaml"; }
    [[nodiscard]] std::filesystem::path resolvedConfig() const { return dir / "config.resolved.json"; }
    [[nodiscard]] std::filesystem::path identity() const { return dir / "run.json"; }
    [[nodiscard]] std::filesystem::path events() const { return dir / "events.qlog"; }
    [[nodiscard]] std::filesystem::path checkpoints() const { return dir / "checkpoints"; }
    [[nodiscard]] std::filesystem::path eval() const { return dir / "eval"; }
    [[nodiscard]] std::filesystem::path nativeExport() const { return dir / "exports" / "native"; }
    [[nodiscard]] std::filesystem::path model() const { return dir / "model"; } // trained latent weights, Hugging Face folder
    [[nodiscard]] std::filesystem::path logs() const { return dir / "logs"; }
    [[nodiscard]] std::filesystem::path crash() const { return dir / "logs" / "crash.json"; }
    [[nodiscard]] std::filesystem::path lock() const { return dir / "run.lock"; }
    [[nodiscard]] std::filesystem::path socket() const { return dir / "engine.sock"; }
    [[nodiscard]] std::filesystem::path ballast() const { return dir / ".ballast"; }
};

// <project>/runs, <project>/studies, <project>/project.qatw, <project>/job.lock
[[nodiscard]] std::filesystem::path runsDir(const std::filesystem::path& project);
[[nodiscard]] std::filesystem::path studiesDir(const std::filesystem::path& project);
[[nodiscard]] std::filesystem::path storeFile(const std::filesystem::path& project);
[[nodiscard]] std::filesystem::path jobLock(const std::filesystem::path& project);

[[nodiscard]] std::string folderName(const std::string& uid, std::string_view name); // <ulid>-<slug>

// Makes <project>/runs/<ulid>-<slug>/ (mode 0700) with run.json and logs/; identity.uid and createdMs are filled when empty.
[[nodiscard]] Result<RunFolder> createRunFolder(const std::filesystem::path& project, records::RunIdentity& identity);
// Every folder below <project>/runs that has a run.json, oldest first.
[[nodiscard]] std::vector<RunFolder> listRunFolders(const std::filesystem::path& project);

[[nodiscard]] Status writeIdentity(const RunFolder& folder, const records::RunIdentity& identity); // atomic; keys of others are kept
[[nodiscard]] Result<records::RunIdentity> readIdentity(const RunFolder& folder);

inline constexpr const char* kCheckpointManifest = "MANIFEST.json"; // a checkpoint's folder that has it is whole
[[nodiscard]] std::string checkpointName(int64_t step);             // step_00001500
// Of the whole ones below RunFolder::checkpoints(), ascending.
[[nodiscard]] std::vector<int64_t> checkpointSteps(const std::filesystem::path& checkpoints);

[[nodiscard]] Result<RunLock> takeRunLock(const RunFolder& folder); // engine.busy
[[nodiscard]] bool isLive(const RunFolder& folder);                 // an engine holds run.lock

} // namespace qw::wire
