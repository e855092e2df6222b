// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/control.h"

#include "drive/engine_client.h"
#include "wire/local_socket.h"

namespace qw::drive {
namespace fs = std::filesystem;
namespace {

constexpr int kAnswerMs = 5000;

Result<std::string> send(const fs::path& socket, const std::string& op, const std::string& params) {
    QW_TRY(auto transport, wire::connectLocal(socket));
    QW_TRY(auto client, EngineClient::greet(std::move(transport), kAnswerMs));
    return client.request(op, params, kAnswerMs);
}

// Folders are named <uid>-<slug>.
fs::path folderOf(const fs::path& parent, const std::string& uid) {
    std::error_code error;
    for (fs::directory_iterator at(parent, error), end; !error && at != end; at.increment(error))
        if (at->path().filename().string().starts_with(uid + "-")) return at->path();
    return {};
}

} // namespace

Result<std::string> controlRun(const wire::RunFolder& folder, const std::string& op, const std::string& params) {
    if (!wire::isLive(folder))
        return Error{"engine.state", "no engine works on the run in " + folder.dir.filename().string(), "resume the run first", "", false};
    return send(folder.socket(), "train." + op, params);
}

Result<std::string> controlStudy(const fs::path& dir, const std::string& op, const std::string& params) {
    if (!wire::isLockLive(dir / "study.lock"))
        return Error{"engine.state", "nobody drives the study in " + dir.filename().string(), "continue the study first", "", false};
    return send(dir / "study.sock", "study." + op, params);
}

Result<std::string> control(const fs::path& project, const std::string& uid, const std::string& op, const std::string& params) {
    if (const auto run = folderOf(wire::runsDir(project), uid); !run.empty()) return controlRun(wire::RunFolder{run}, op, params);
    if (const auto study = folderOf(wire::studiesDir(project), uid); !study.empty()) return controlStudy(study, op, params);
    return Error{"file.not_found", "the project has no run and no study " + uid, "it may have been deleted", "", false};
}

} // namespace qw::drive
