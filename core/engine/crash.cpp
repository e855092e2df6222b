// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/crash.h"

#include "base/clock.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <execinfo.h>
#include <fcntl.h>
#include <semaphore.h>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace qw::engine {
namespace {

char g_crashPath[4096];
std::atomic<const char*> g_phase{"starting"};
std::atomic<int64_t> g_step{0};
std::atomic<int64_t> g_progressNs{0};
std::atomic<int> g_stackFd{-1};
sem_t g_stackDone;

constexpr int kFrames = 64;

// A fixed buffer that only appends: no allocation, no locale, safe inside a signal handler.
struct SafeText {
    char bytes[8192];
    size_t size = 0;
    void text(const char* s) {
        while (*s && size < sizeof bytes) bytes[size++] = *s++;
    }
    void number(int64_t value) {
        char digits[24];
        size_t n = 0;
        uint64_t rest = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
        do digits[n++] = static_cast<char>('0' + rest % 10);
        while ((rest /= 10) != 0);
        if (value < 0) digits[n++] = '-';
        while (n > 0 && size < sizeof bytes) bytes[size++] = digits[--n];
    }
    void hex(const void* pointer) {
        auto value = reinterpret_cast<uintptr_t>(pointer);
        text("0x");
        for (int shift = 60; shift >= 0; shift -= 4) {
            const char digit[2] = {"0123456789abcdef"[(value >> shift) & 15], 0};
            text(digit);
        }
    }
    void writeTo(int fd) const {
        size_t done = 0;
        while (done < size) {
            const ssize_t n = ::write(fd, bytes + done, size - done);
            if (n <= 0 && errno != EINTR) return;
            if (n > 0) done += static_cast<size_t>(n);
        }
    }
};

const char* signalWord(int signal) {
    switch (signal) {
    case SIGSEGV:
        return "SIGSEGV";
    case SIGABRT:
        return "SIGABRT";
    case SIGBUS:
        return "SIGBUS";
    case SIGFPE:
        return "SIGFPE";
    case SIGILL:
        return "SIGILL";
    default:
        return "signal";
    }
}

void onCrash(int signal, siginfo_t* info, void*) {
    static std::atomic<bool> entered{false};
    if (!entered.exchange(true) && g_crashPath[0]) {
        SafeText out;
        char thread[16] = "";
        ::prctl(PR_GET_NAME, thread, 0, 0, 0);
        out.text("{\"signal\":");
        out.number(signal);
        out.text(",\"name\":\"");
        out.text(signalWord(signal));
        out.text("\",\"thread\":\"");
        out.text(thread);
        out.text("\",\"phase\":\"");
        out.text(g_phase.load());
        out.text("\",\"step\":");
        out.number(g_step.load());
        out.text(",\"address\":\"");
        out.hex(info ? info->si_addr : nullptr);
        out.text("\",\"pid\":");
        out.number(::getpid());
        out.text(",\"backtrace\":[");
        void* frames[kFrames];
        const int n = ::backtrace(frames, kFrames);
        for (int i = 0; i < n; ++i) {
            out.text(i ? ",\"" : "\"");
            out.hex(frames[i]);
            out.text("\"");
        }
        out.text("]}\n");
        const int fd = ::open(g_crashPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd >= 0) {
            out.writeTo(fd);
            ::fsync(fd);
            ::close(fd);
        }
        SafeText line;
        line.text("qat-engine: died of ");
        line.text(signalWord(signal));
        line.text(" in phase ");
        line.text(g_phase.load());
        line.text("; see logs/crash.json\n");
        line.writeTo(STDERR_FILENO);
    }
    ::signal(signal, SIG_DFL);
    ::raise(signal);
}

void onStackRequest(int) {
    const int saved = errno;
    const int fd = g_stackFd.load();
    if (fd >= 0) {
        char thread[16] = "";
        ::prctl(PR_GET_NAME, thread, 0, 0, 0);
        SafeText head;
        head.text("thread ");
        head.number(::syscall(SYS_gettid));
        head.text(" ");
        head.text(thread);
        head.text("\n");
        head.writeTo(fd);
        void* frames[kFrames];
        ::backtrace_symbols_fd(frames, ::backtrace(frames, kFrames), fd);
        SafeText end;
        end.text("\n");
        end.writeTo(fd);
        ::sem_post(&g_stackDone);
    }
    errno = saved;
}

int stackSignal() { return SIGRTMIN + 4; }

} // namespace

void installCrashHandler(const std::filesystem::path& runDir) {
    if (!runDir.empty()) {
        const std::string path = (std::filesystem::absolute(runDir) / "logs/crash.json").string();
        if (path.size() < sizeof g_crashPath) std::memcpy(g_crashPath, path.c_str(), path.size() + 1);
    }
    void* warm[2];
    static_cast<void>(::backtrace(warm, 2)); // loads libgcc now: inside the handler it would allocate
    static std::array<char, 65536> stack;
    stack_t alternative{};
    alternative.ss_sp = stack.data();
    alternative.ss_size = stack.size();
    ::sigaltstack(&alternative, nullptr);
    struct sigaction action {};
    action.sa_sigaction = onCrash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) ::sigaction(signal, &action, nullptr);
    ::sem_init(&g_stackDone, 0, 0);
    struct sigaction stacks {};
    stacks.sa_handler = onStackRequest;
    stacks.sa_flags = SA_RESTART;
    ::sigaction(stackSignal(), &stacks, nullptr);
}

void setPlace(const char* phase) {
    g_phase = phase;
    touchProgress();
}
void setStep(int64_t step) {
    g_step = step;
    touchProgress();
}
const char* currentPhase() { return g_phase.load(); }
int64_t currentStep() { return g_step.load(); }
int64_t lastProgressNs() { return g_progressNs.load(); }
void touchProgress() { g_progressNs = monotonicNs(); }

void nameThread(const char* name) { ::prctl(PR_SET_NAME, name, 0, 0, 0); }

void writeAllStacks(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return;
    g_stackFd = fd;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error)) {
        const int tid = std::atoi(entry.path().filename().c_str());
        if (tid <= 0 || ::syscall(SYS_tgkill, ::getpid(), tid, stackSignal()) != 0) continue;
        timespec until{};
        ::clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 200'000'000;
        if (until.tv_nsec >= 1'000'000'000) {
            until.tv_nsec -= 1'000'000'000;
            ++until.tv_sec;
        }
        while (::sem_timedwait(&g_stackDone, &until) != 0 && errno == EINTR) {
        }
    }
    g_stackFd = -1;
    ::fsync(fd);
    ::close(fd);
}

} // namespace qw::engine
