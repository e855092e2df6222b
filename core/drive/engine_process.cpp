// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/engine_process.h"

#include "base/files.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace qw::drive {
namespace {

constexpr int64_t kErrorTail = 4096;

// posix_spawn's two argument objects, freed with the scope.
struct SpawnPlan {
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
    SpawnPlan() {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawnattr_init(&attributes);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
    }
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    Result<pid_t> spawn(const std::filesystem::path& program, std::vector<std::string> arguments, bool ownSession) {
        const int session = ownSession ? POSIX_SPAWN_SETSID : 0;
        ::posix_spawnattr_setflags(&attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | session));
        std::vector<char*> argv;
        for (std::string& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        pid_t pid = -1;
        // OpenMP's idle threads spin: two torch programs on the same cores then slow each other several times over.
        std::string spin = "GOMP_SPINCOUNT=1000";
        std::vector<char*> environment;
        for (char** entry = environ; *entry; ++entry) environment.push_back(*entry);
        if (!std::getenv("GOMP_SPINCOUNT")) environment.push_back(spin.data());
        environment.push_back(nullptr);
        const int why = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environment.data());
        if (why != 0) return errnoError(why, "start", program);
        return pid;
    }
};

} // namespace

Result<EngineProcess> EngineProcess::startRun(const std::filesystem::path& engine, const wire::RunFolder& folder,
                                              const std::filesystem::path& jobLock) {
    QW_CHECK(makeDirs(folder.logs()));
    SpawnPlan plan;
    const std::string output = (folder.logs() / "engine.stderr").string();
    ::posix_spawn_file_actions_addopen(&plan.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&plan.actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::posix_spawn_file_actions_adddup2(&plan.actions, STDOUT_FILENO, STDERR_FILENO);
    std::vector<std::string> arguments{"qat-engine", "--run", folder.dir.string()};
    if (!jobLock.empty()) arguments.insert(arguments.end(), {"--job-lock", jobLock.string()});
    QW_TRY(const pid_t pid, plan.spawn(engine, std::move(arguments), true));
    return EngineProcess(pid);
}

Result<EngineProcess::Stdio> EngineProcess::startStdio(const std::filesystem::path& engine) {
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return errnoError(errno, "open", "a pipe");
    const int errors = ::memfd_create("qat-engine-stderr", MFD_CLOEXEC);
    SpawnPlan plan;
    ::posix_spawn_file_actions_adddup2(&plan.actions, in[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&plan.actions, out[1], STDOUT_FILENO);
    if (errors >= 0) ::posix_spawn_file_actions_adddup2(&plan.actions, errors, STDERR_FILENO);
    auto pid = plan.spawn(engine, {"qat-engine", "--stdio"}, false);
    ::close(in[0]);
    ::close(out[1]);
    if (!pid) {
        for (const int fd : {in[1], out[0], errors})
            if (fd >= 0) ::close(fd);
        return std::move(pid).error();
    }
    return Stdio{EngineProcess(*pid), in[1], out[0], errors};
}

bool EngineProcess::ended() {
    if (m_code) return true;
    int status = 0;
    const pid_t got = ::waitpid(m_pid, &status, WNOHANG);
    if (got == 0) return false;
    if (got < 0)
        m_code = 70; // not our child any more
    else
        m_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

void EngineProcess::kill(int signal) const {
    if (!m_code && m_pid > 0) ::kill(m_pid, signal);
}

std::string EngineProcess::Stdio::errorText() const {
    struct stat info {};
    if (errors < 0 || ::fstat(errors, &info) != 0) return "";
    std::string text(static_cast<size_t>(std::min<int64_t>(info.st_size, kErrorTail)), '\0');
    const ssize_t n = ::pread(errors, text.data(), text.size(), info.st_size - static_cast<int64_t>(text.size()));
    text.resize(static_cast<size_t>(std::max<ssize_t>(n, 0)));
    return text;
}

} // namespace qw::drive
