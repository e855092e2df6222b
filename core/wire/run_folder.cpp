// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/run_folder.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/ids.h"
#include "wire/json_events.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sys/stat.h>

namespace qw::wire {

namespace {
constexpr uint64_t kMaxIdentityBytes = 4 << 20;
const std::string kStep = "step_";
constexpr size_t kStepDigits = 8; // at least
} // namespace

std::filesystem::path runsDir(const std::filesystem::path& project) { return project / "runs"; }
std::filesystem::path studiesDir(const std::filesystem::path& project) { return project / "studies"; }
std::filesystem::path storeFile(const std::filesystem::path& project) { return project / "project.qatw"; }
std::filesystem::path jobLock(const std::filesystem::path& project) { return project / "job.lock"; }

std::string folderName(const std::string& uid, std::string_view name) { return uid + "-" + slug(name); }

std::string checkpointName(int64_t step) {
    const std::string digits = std::to_string(step);
    return kStep + std::string(kStepDigits - std::min(kStepDigits, digits.size()), '0') + digits;
}

std::vector<int64_t> checkpointSteps(const std::filesystem::path& checkpoints) {
    std::vector<int64_t> steps;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(checkpoints, error)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(kStep)) continue;
        int64_t step = 0;
        const char* end = name.data() + name.size();
        const auto [rest, bad] = std::from_chars(name.data() + kStep.size(), end, step);
        const bool isStep = bad == std::errc() && rest == end; // not .tmp. or .trash-
        if (isStep && std::filesystem::exists(entry.path() / kCheckpointManifest, error)) steps.push_back(step);
    }
    std::ranges::sort(steps);
    return steps;
}

Result<RunFolder> createRunFolder(const std::filesystem::path& project, records::RunIdentity& identity) {
    if (identity.uid.empty()) identity.uid = newUlid();
    if (identity.createdMs == 0) identity.createdMs = wallMs();
    RunFolder folder{runsDir(project) / folderName(identity.uid, identity.name)};
    QW_CHECK(makeDirs(runsDir(project)));
    // 0700: the engine's socket lies in here.
    if (::mkdir(folder.dir.c_str(), 0700) != 0) return errnoError(errno, "create", folder.dir);
    QW_CHECK(makeDirs(folder.logs()));
    QW_CHECK(writeIdentity(folder, identity));
    QW_CHECK(fsyncDir(runsDir(project)));
    return folder;
}

std::vector<RunFolder> listRunFolders(const std::filesystem::path& project) {
    std::vector<RunFolder> found;
    std::error_code code;
    for (std::filesystem::directory_iterator it(runsDir(project), code), end; !code && it != end; it.increment(code)) {
        RunFolder folder{it->path()};
        std::error_code missing;
        if (std::filesystem::is_regular_file(folder.identity(), missing)) found.push_back(std::move(folder));
    }
    std::ranges::sort(found, {}, &RunFolder::dir); // ULIDs sort by creation
    return found;
}

Status writeIdentity(const RunFolder& folder, const records::RunIdentity& identity) {
    const auto before = readFile(folder.identity(), kMaxIdentityBytes);
    return writeFileAtomic(folder.identity(), toJson(identity, before ? *before : std::string()));
}

Result<records::RunIdentity> readIdentity(const RunFolder& folder) {
    QW_TRY(const std::string text, readFile(folder.identity(), kMaxIdentityBytes));
    auto identity = identityFromJson(text);
    if (!identity)
        return Error{"file.corrupt",
                     folder.identity().string() + ": " + identity.error().message,
                     "restore the file, or move the folder away",
                     {},
                     false};
    if (identity->uid.empty())
        return Error{"file.corrupt", folder.identity().string() + " has no uid", "restore the file, or move the folder away", {}, false};
    return identity;
}

Result<RunLock> takeRunLock(const RunFolder& folder) { return RunLock::take(folder.lock()); }
bool isLive(const RunFolder& folder) { return isLockLive(folder.lock()); }

} // namespace qw::wire
