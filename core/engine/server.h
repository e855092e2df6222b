// SPDX-License-Identifier: GPL-3.0-or-later
// What: the control thread: a poll loop over signals, events, the socket and its clients; heartbeat; event log; requests.
// Limits: one thread; never touches a tensor, never waits for the job thread.
#pragma once

#include "base/cancel.h"
#include "engine/event_hub.h"
#include "engine/process.h"
#include "wire/event_log.h"
#include "wire/local_socket.h"
#include "wire/outbound_queue.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace qw::engine {

struct ServerLimits {
    int64_t heartbeatMs = 1000, stopDeadlineMs = 30'000, lastWordsMs = 2000;
};

class Server {
public:
    using Handler = std::function<Result<std::string>(const wire::Request&)>; // returns the JSON of the response

    Server(EventHub& hub, CancelToken& cancel, wire::Hello hello, ServerLimits limits);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    void setRun(std::string uid, std::filesystem::path runDir, wire::EventLogWriter log); // events are logged and numbered
    [[nodiscard]] Status listen();                                                        // on engine.sock of the run
    void adopt(int readFd, int writeFd); // a client that is already connected; the server ends when it goes
    void watchSignals(int signalFd) { m_signalFd = signalFd; }
    void watchOutput(std::filesystem::path file) { m_output = std::make_unique<OutputTail>(std::move(file)); }
    void setBeat(std::function<void()> beat) { m_beat = std::move(beat); } // called with every heartbeat
    void addHandler(const std::string& op, Handler handler) { m_handlers[op] = std::move(handler); }
    [[nodiscard]] std::atomic<bool>& checkpointRequested() { return m_checkpointRequested; }

    // Until finish() was called and everything is written and sent, or the adopted client is gone. Returns the exit code.
    int loop();
    void finish(int exitCode, const char* reason); // from any thread; reason: a literal, for bye, which is sent last

private:
    struct Client;
    void pollOnce();
    void onSignal();
    void onEvents();
    void onTimers();
    void sayGoodbye();
    void acceptClients();
    void readClient(Client& client);
    void answer(Client& client, const wire::Request& request);
    Result<std::string> handle(Client& client, const wire::Request& request);
    Result<std::string> attach(Client& client, const wire::Request& request);
    void broadcast(const wire::Event& event);
    void requestStop(CancelLevel level, const std::string& why);
    void say(wire::Payload payload) { m_hub.emit(std::move(payload)); }
    void logFailed(const Error& error);

    EventHub& m_hub;
    CancelToken& m_cancel;
    wire::Hello m_hello;
    ServerLimits m_limits;
    std::string m_run;
    std::filesystem::path m_runDir;
    std::optional<wire::EventLogWriter> m_log;
    std::unique_ptr<OutputTail> m_output;
    std::map<std::string, Handler> m_handlers;
    std::function<void()> m_beat;
    std::vector<std::unique_ptr<Client>> m_clients;
    bool m_endsWithClient = false, m_clientWent = false, m_logBroken = false;
    std::optional<wire::LocalListener> m_listener;
    int m_signalFd = -1;
    int64_t m_startedNs = 0, m_heartbeatNs = 0, m_tickNs = 0, m_stopNs = 0;
    wire::StateChange m_state;
    std::atomic<bool> m_checkpointRequested{false};
    std::atomic<bool> m_finished{false};
    std::atomic<int> m_exitCode{0};
    std::atomic<const char*> m_reason{""};
};

} // namespace qw::engine
