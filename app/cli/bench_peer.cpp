// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench_peer.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

extern char** environ; // NOLINT: POSIX

namespace qw::cli {
namespace {

struct Pipe {
    int read = -1, write = -1;
    [[nodiscard]] static Result<Pipe> make() {
        int fds[2];
        if (::pipe2(fds, O_CLOEXEC) != 0) return Error{"engine.internal", "cannot make a pipe", {}, {}, true};
        return Pipe{fds[0], fds[1]};
    }
};

// in and log may be -1: ours are used.
Result<pid_t> spawn(const std::vector<std::string>& words, int in, int out, int log) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (in >= 0) posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (log >= 0) posix_spawn_file_actions_adddup2(&actions, log, STDERR_FILENO);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t pid = 0;
    const int failed = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) return Error{"file.not_found", "cannot start " + words[0], {}, {}, false};
    return pid;
}

int waitFor(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

// The last line that holds anything: of a Python traceback, what went wrong.
std::string lastLine(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string last;
    for (std::string line; std::getline(in, line);)
        if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
    return last;
}

void setPeerEnvironment(int threads) {
    ::setenv("HF_HUB_OFFLINE", "1", 1); // peers must not reach for the network
    ::setenv("HF_DATASETS_OFFLINE", "1", 1);
    ::setenv("TOKENIZERS_PARALLELISM", "false", 1);
    ::setenv("TQDM_DISABLE", "1", 1);
    ::setenv("OMP_NUM_THREADS", std::to_string(threads).c_str(), 1);
}

} // namespace

Result<Peer> Peer::start(const std::string& script, const BenchOptions& options, const std::vector<std::string>& arguments) {
    Peer peer;
    peer.m_script = options.scripts / script;
    peer.m_log = options.scratch / "peer.log";
    std::vector<std::string> words{options.python.string(), peer.m_script.string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    setPeerEnvironment(options.threads);
    std::signal(SIGPIPE, SIG_IGN); // a dead peer is an error message
    QW_TRY(const Pipe in, Pipe::make());
    QW_TRY(const Pipe out, Pipe::make());
    const int log = ::open(peer.m_log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    QW_TRY(peer.m_pid, spawn(words, in.read, out.write, log));
    ::close(in.read);
    ::close(out.write);
    if (log >= 0) ::close(log);
    peer.m_in = ::fdopen(in.write, "w");
    peer.m_out = ::fdopen(out.read, "r");
    return peer;
}

Peer::Peer(Peer&& other) noexcept
    : m_script(std::move(other.m_script)),
      m_log(std::move(other.m_log)),
      m_pid(std::exchange(other.m_pid, -1)),
      m_in(std::exchange(other.m_in, nullptr)),
      m_out(std::exchange(other.m_out, nullptr)) {}

Peer::~Peer() {
    if (m_in) std::fclose(m_in);
    if (m_out) std::fclose(m_out);
    if (m_pid > 0) waitFor(m_pid);
}

Error Peer::died() const {
    return Error{"engine.internal",
                 m_script.filename().string() + " ended without an answer: " + lastLine(m_log),
                 "run it by hand to see why",
                 {},
                 false};
}

Result<std::string> Peer::ask() {
    if (std::fputs("go\n", m_in) < 0 || std::fflush(m_in) != 0) return died();
    // Libraries print on standard output too; an answer is the line that begins an object.
    std::string line;
    for (int c = 0; (c = std::fgetc(m_out)) != EOF;) {
        if (c != '\n') {
            line.push_back(static_cast<char>(c));
            continue;
        }
        if (line.starts_with("{")) return line;
        line.clear();
    }
    return died();
}

Result<std::string> runProgram(const std::vector<std::string>& words) {
    QW_TRY(const Pipe out, Pipe::make());
    const auto pid = spawn(words, -1, out.write, -1);
    ::close(out.write);
    std::string output;
    char buffer[4096];
    for (ssize_t n = 0; pid && ((n = ::read(out.read, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR));)
        if (n > 0) output.append(buffer, static_cast<size_t>(n));
    ::close(out.read);
    if (!pid) return pid.error();
    const int status = waitFor(*pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return Error{
            "engine.internal", words[0] + (words.size() > 1 ? " " + words[1] : "") + " failed", "run it by hand to see why", {}, false};
    return output;
}

} // namespace qw::cli
