// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/server.h"

#include "base/clock.h"
#include "engine/crash.h"
#include "engine/server_client.h"
#include "wire/run_folder.h"

#include <algorithm>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace qw::engine {
namespace {

constexpr int64_t kTickMs = 250;
constexpr int64_t kNsPerMs = 1'000'000;
constexpr size_t kRefill = 64; // log records handed to a re-attaching client at a time

} // namespace

void Server::Client::pump(const std::function<bool(Client&)>& refill) {
    const auto send = [this](wire::OutboundQueue& queue) { // true: empty
        const auto done = queue.pump(*transport);
        if (!done) gone = true;
        return done && *done;
    };
    // A queue may hold half a line, so the other one waits until it is empty.
    while (!gone && (gap || !past.empty())) {
        if (!past.empty()) {
            if (!send(past)) return;
        } else {
            if (!send(live)) return;
            if (gap && !refill(*this)) gap.reset();
        }
    }
    if (!gone) static_cast<void>(send(live));
}

Server::Server(EventHub& hub, CancelToken& cancel, wire::Hello hello, ServerLimits limits)
    : m_hub(hub), m_cancel(cancel), m_hello(std::move(hello)), m_limits(limits), m_startedNs(monotonicNs()) {}

Server::~Server() = default;

void Server::setRun(std::string uid, std::filesystem::path runDir, wire::EventLogWriter log) {
    m_run = std::move(uid);
    m_runDir = std::move(runDir);
    m_log = std::move(log);
}

Status Server::listen() {
    QW_TRY(auto listener, wire::LocalListener::listen(wire::RunFolder{m_runDir}.socket()));
    m_listener.emplace(std::move(listener));
    return {};
}

void Server::adopt(int readFd, int writeFd) {
    auto client = std::make_unique<Client>();
    client->transport = wire::fdTransport(readFd, writeFd);
    client->adopted = true;
    client->live.push(wire::Event{"", 0, wallMs(), monotonicNs(), m_hello}, monotonicNs());
    m_clients.push_back(std::move(client));
    m_endsWithClient = true;
}

void Server::acceptClients() {
    while (auto transport = m_listener->accept()) {
        auto client = std::make_unique<Client>();
        client->transport = std::move(transport);
        client->live.push(wire::Event{"", 0, wallMs(), monotonicNs(), m_hello}, monotonicNs());
        m_clients.push_back(std::move(client));
    }
}

void Server::pollOnce() {
    std::vector<pollfd> fds{{m_hub.fd(), POLLIN, 0}};
    if (m_signalFd >= 0) fds.push_back({m_signalFd, POLLIN, 0});
    if (m_listener) fds.push_back({m_listener->fd(), POLLIN, 0});
    for (const auto& client : m_clients) {
        const int readFd = client->transport->readFd(), writeFd = client->transport->writeFd();
        const bool wants = client->hasBytes(); // held events wait for their time, not for room
        if (readFd == writeFd)
            fds.push_back({readFd, static_cast<short>(POLLIN | (wants ? POLLOUT : 0)), 0});
        else {
            fds.push_back({readFd, POLLIN, 0});
            if (wants) fds.push_back({writeFd, POLLOUT, 0});
        }
    }
    ::poll(fds.data(), fds.size(), 100);
    m_hub.drainFd();
}

int Server::loop() {
    int64_t lastWordsNs = 0;
    for (;;) {
        pollOnce();
        if (m_signalFd >= 0) onSignal();
        if (m_listener) acceptClients();
        for (size_t i = 0; i < m_clients.size(); ++i) readClient(*m_clients[i]);
        const bool finished = m_finished.load(); // before the events: whoever finishes has put its last one in
        onEvents();
        if (finished && lastWordsNs == 0) sayGoodbye();
        onTimers();
        const int64_t now = monotonicNs();
        for (const auto& client : m_clients) {
            client->live.release(now);
            client->pump([this](Client& c) {
                if (m_log) static_cast<void>(m_log->flush());
                auto events = c.gap->readAfter(c.gapAfter, kRefill);
                if (!events || events->empty()) return false;
                for (wire::Event& event : *events) c.past.push(std::move(event), monotonicNs());
                return true;
            });
            if (client->gone && client->adopted) m_clientWent = true;
        }
        std::erase_if(m_clients, [](const auto& client) { return client->gone; });
        if (finished) {
            if (lastWordsNs == 0) lastWordsNs = now;
            const bool said = std::ranges::all_of(m_clients, [](const auto& client) { return client->idle(); });
            if (said || now - lastWordsNs > m_limits.lastWordsMs * kNsPerMs) break;
        }
        if (m_endsWithClient && m_clientWent) {
            m_cancel.raise(CancelLevel::Now);
            break;
        }
    }
    if (m_log) static_cast<void>(m_log->sync());
    return m_exitCode.load();
}

// What libraries wrote last, then bye.
void Server::sayGoodbye() {
    if (m_output) m_output->poll([this](std::string line) { say(wire::LogLine{1, std::move(line)}); });
    say(wire::Bye{m_exitCode.load(), m_reason.load()});
    onEvents();
}

void Server::finish(int exitCode, const char* reason) {
    m_reason = reason;
    m_exitCode = exitCode;
    m_finished = true;
    m_hub.wake();
}

void Server::onSignal() {
    signalfd_siginfo info{};
    while (::read(m_signalFd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        switch (info.ssi_signo) {
        case SIGTERM:
        case SIGINT:
            requestStop(m_stopNs == 0 ? CancelLevel::StopWithCheckpoint : CancelLevel::Now, "signal " + std::to_string(info.ssi_signo));
            break;
        case SIGUSR1:
            m_checkpointRequested = true;
            break;
        case SIGQUIT:
            writeAllStacks(m_runDir.empty() ? std::filesystem::path("/dev/stderr") : wire::RunFolder{m_runDir}.logs() / "stacks.txt");
            break;
        default:
            break;
        }
    }
}

void Server::requestStop(CancelLevel level, const std::string& why) {
    if (m_stopNs == 0) m_stopNs = monotonicNs();
    m_cancel.raise(level);
    if (!records::isEnded(m_state.state)) say(wire::StateChange{records::RunState::Stopping, currentPhase(), why});
}

void Server::onEvents() {
    for (wire::Event& event : m_hub.take()) {
        event.run = m_run;
        if (const auto* state = std::get_if<wire::StateChange>(&event.payload)) m_state = *state;
        if (m_log && wire::eventRow(event.payload).logged) {
            const auto seq = m_log->append(event);
            if (!seq) logFailed(seq.error());
        }
        broadcast(event);
    }
    if (!m_hub.syncAwaited()) return;
    const Status status = m_log ? m_log->sync() : Status{};
    if (!status) logFailed(status.error());
    m_hub.synced(status);
}

void Server::broadcast(const wire::Event& event) {
    const bool logged = event.seq > 0;
    for (const auto& client : m_clients)
        if (client->greeted && (client->adopted || client->attached) && !(logged && client->gap)) client->live.push(event, event.monoNs);
}

// The disk is full: the ballast makes room for the log, and the job waits.
void Server::logFailed(const Error& error) {
    if (std::exchange(m_logBroken, true)) return;
    std::error_code ignored;
    std::filesystem::remove(wire::RunFolder{m_runDir}.ballast(), ignored);
    m_cancel.raise(CancelLevel::Pause);
    say(wire::Notice{false, error.code, "the event log cannot be written, the run waits: " + error.message,
                     "free some space, then 'qatw resume'", error.detail});
}

void Server::onTimers() {
    const int64_t now = monotonicNs();
    if (now - m_heartbeatNs >= m_limits.heartbeatMs * kNsPerMs) {
        m_heartbeatNs = now;
        if (m_beat) m_beat();
        broadcast(wire::Event{m_run, 0, wallMs(), now, wire::Heartbeat{currentPhase(), currentStep(), lastProgressNs(), residentBytes()}});
    }
    if (now - m_tickNs >= kTickMs * kNsPerMs) {
        m_tickNs = now;
        if (m_log) {
            const auto status = m_log->tick();
            if (!status)
                logFailed(status.error());
            else
                m_logBroken = false;
        }
        if (m_output) m_output->poll([this](std::string line) { say(wire::LogLine{1, std::move(line)}); });
    }
    if (m_stopNs != 0 && !m_finished) {
        const int64_t waited = (now - m_stopNs) / kNsPerMs;
        if (waited > m_limits.stopDeadlineMs) m_cancel.raise(CancelLevel::Now);
        if (waited > m_limits.stopDeadlineMs * 4 / 3) { // the job thread does not listen any more
            if (m_log) static_cast<void>(m_log->sync());
            ::_exit(70);
        }
    }
}

} // namespace qw::engine
