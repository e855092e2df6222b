// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/process.h"

#include "base/files.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <set>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace qw::engine {
namespace {

constexpr int64_t kOutputLimit = 8 << 20;

} // namespace

Result<int> takeProtocolDescriptor() {
    const int fd = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    if (fd < 0) return errnoError(errno, "duplicate", "standard output");
    if (::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return errnoError(errno, "redirect", "standard output");
    return fd;
}

Status redirectOutputTo(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return errnoError(errno, "open", file);
    const bool failed = ::dup2(fd, STDOUT_FILENO) < 0 || ::dup2(fd, STDERR_FILENO) < 0;
    const int why = errno;
    ::close(fd);
    if (failed) return errnoError(why, "redirect output to", file);
    return {};
}

Result<int> openSignals(bool detached) {
    ::signal(SIGPIPE, SIG_IGN);
    if (detached) ::signal(SIGHUP, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGQUIT}) sigaddset(&set, signal);
    if (::pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) return Error{"engine.internal", "signals cannot be blocked", "", "", false};
    const int fd = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) return errnoError(errno, "open", "signalfd");
    return fd;
}

void dieWithParent() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() == 1) ::_exit(70); // the parent went away before the call
}

void volunteerForOomKill() {
    std::ifstream in("/proc/self/oom_score_adj");
    int now = 0;
    in >> now;
    std::ofstream("/proc/self/oom_score_adj") << std::min(1000, now + 300);
}

int physicalCores() {
    cpu_set_t mine;
    CPU_ZERO(&mine);
    if (::sched_getaffinity(0, sizeof mine, &mine) != 0) return 1;
    std::set<std::string> cores; // hyper-threads of one core share their siblings list
    int logical = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &mine)) continue;
        ++logical;
        std::ifstream in("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
        std::string siblings;
        if (std::getline(in, siblings)) cores.insert(siblings);
    }
    int count = cores.empty() ? logical : static_cast<int>(cores.size());
    std::ifstream quotaFile("/sys/fs/cgroup/cpu.max"); // "max 100000" or "<quota> <period>", cgroup v2
    std::string quota;
    double period = 0;
    if (quotaFile >> quota >> period && quota != "max" && period > 0)
        count = std::min(count, std::max(1, static_cast<int>(std::ceil(std::strtod(quota.c_str(), nullptr) / period))));
    return std::max(1, count);
}

int64_t residentBytes() {
    std::ifstream in("/proc/self/statm");
    int64_t total = 0, resident = 0;
    in >> total >> resident;
    return resident * ::sysconf(_SC_PAGESIZE);
}

std::string hostName() {
    char name[256] = "";
    ::gethostname(name, sizeof name - 1);
    return name;
}

OutputTail::OutputTail(std::filesystem::path file) : m_file(std::move(file)) {
    m_fd = ::open(m_file.c_str(), O_RDWR | O_CLOEXEC);
    struct stat info {};
    if (m_fd >= 0 && ::fstat(m_fd, &info) == 0) m_offset = info.st_size;
}

OutputTail::~OutputTail() {
    if (m_fd >= 0) ::close(m_fd);
}

void OutputTail::poll(const std::function<void(std::string line)>& take) {
    if (m_fd < 0) return;
    char buffer[16384];
    for (ssize_t n = 0; (n = ::pread(m_fd, buffer, sizeof buffer, m_offset)) > 0;) {
        m_offset += n;
        m_partial.append(buffer, static_cast<size_t>(n));
        size_t begin = 0;
        for (size_t end = 0; (end = m_partial.find('\n', begin)) != std::string::npos; begin = end + 1)
            if (end > begin) take(m_partial.substr(begin, end - begin));
        m_partial.erase(0, begin);
        if (m_partial.size() > 8192) {
            take(m_partial);
            m_partial.clear();
        }
    }
    if (m_offset > kOutputLimit) shrink();
}

// The file is open for appending elsewhere in this process, so it is cut in place, never replaced.
void OutputTail::shrink() {
    std::string keep(kOutputLimit / 2, '\0');
    const ssize_t n = ::pread(m_fd, keep.data(), keep.size(), m_offset - static_cast<int64_t>(keep.size()));
    if (n <= 0 || ::ftruncate(m_fd, 0) != 0) return;
    const ssize_t written = ::pwrite(m_fd, keep.data(), static_cast<size_t>(n), 0);
    m_offset = std::max<ssize_t>(written, 0);
}

} // namespace qw::engine
