// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/run_driver.h"

#include "base/clock.h"
#include "base/files.h"
#include "drive/engine_client.h"
#include "drive/engine_process.h"
#include "drive/locate.h"
#include "wire/event_log.h"
#include "wire/local_socket.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace qw::drive {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kIngestMs = 500;
constexpr int64_t kSilentMs = 5'000, kStalledMs = 60'000;
constexpr int kConnectMs = 20'000;

int64_t stalledMs() {
    const char* text = std::getenv("QATW_STALLED_MS");
    const int64_t value = text ? std::strtoll(text, nullptr, 10) : 0;
    return value > 0 ? value : kStalledMs;
}

void pauseFor(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

class Driver {
public:
    Driver(store::Store& store, const wire::RunFolder& folder, const Watch& watch) : m_store(store), m_folder(folder), m_watch(watch) {}

    Result<RunEnd> drive(bool wait) {
        if (wire::isLive(m_folder))
            note("attached to the engine that works on it (process " + std::to_string(wire::readLockHolder(m_folder.lock()).pid) + ")");
        else {
            QW_TRY(const bool started, start(wait));
            if (!started) return RunEnd{records::RunState::Stopped, 0, std::nullopt, true};
        }
        connect();
        while (running()) {
            step();
            if (m_left) return RunEnd{records::RunState::Running, 0, std::nullopt, true};
        }
        while (m_client && handOut(0)) {
        } // last words
        QW_CHECK(ingest());
        return runEnd(m_folder, m_process ? m_process->exitCode() : std::nullopt);
    }

private:
    // False: the user did not want to wait any longer.
    Result<bool> start(bool wait) {
        QW_TRY(const auto engine, findEngine());
        const auto jobLock = wire::jobLock(m_store.project());
        bool told = false;
        for (;;) {
            while (wire::isLockLive(jobLock)) {
                const auto holder = wire::readLockHolder(jobLock);
                const std::string who = "another job of this project is running (process " + std::to_string(holder.pid) + ")";
                if (!wait) return Error{"engine.busy", who, "wait for it, stop it, or use another --project", "", true};
                if (!std::exchange(told, true)) note("waiting: " + who);
                if (wish() != Wish::GoOn) return false;
                pauseFor(100);
            }
            QW_TRY(m_process, EngineProcess::startRun(engine, m_folder, jobLock));
            // Who lost the race for job.lock ends at once with 75; everybody else takes run.lock first.
            while (!m_process->ended() && !wire::isLive(m_folder)) pauseFor(5);
            if (!m_process->ended() || m_process->exitCode() != 75 || !wire::isLockLive(jobLock)) return true;
        }
    }

    [[nodiscard]] bool running() { return m_process ? !m_process->ended() : wire::isLive(m_folder); }

    void connect() {
        const int64_t until = monotonicNs() + kConnectMs * kNsPerMs;
        while (running() && monotonicNs() < until) {
            auto transport = wire::connectLocal(m_folder.socket());
            if (transport) {
                auto client = EngineClient::greet(*std::move(transport), 5000);
                if (client) {
                    m_client.emplace(*std::move(client));
                    static_cast<void>(m_client->request("attach", "{\"after_seq\":" + std::to_string(seenSeq()) + "}", 5000));
                    m_heardNs = monotonicNs();
                    return;
                }
                if (client.error().code == "proto.version") {
                    note(client.error().message);
                    return;
                }
            }
            pauseFor(20);
        }
    }
    // Events before this start are no news.
    [[nodiscard]] int64_t seenSeq() const {
        const auto uid = wire::readIdentity(m_folder);
        const auto run = uid ? m_store.run(uid->uid) : Result<store::RunInfo>(uid.error());
        return run ? run->ingestSeq : 0;
    }

    void step() {
        if (m_client)
            static_cast<void>(handOut(100));
        else
            pauseFor(100);
        const int64_t now = monotonicNs();
        if (now - m_ingestedNs > kIngestMs * kNsPerMs) {
            m_ingestedNs = now;
            if (const auto status = ingest(); !status && !std::exchange(m_storeTold, true))
                note("the store waits: " + status.error().message);
        }
        watchSilence(now);
        obey();
    }

    bool handOut(int timeoutMs) { // false: nothing came
        auto event = m_client->next(timeoutMs);
        if (!event) {
            m_client.reset();
            return false;
        }
        if (!*event) return false;
        m_heardNs = monotonicNs();
        if (const auto* beat = std::get_if<wire::Heartbeat>(&(*event)->payload)) m_beat = {(*event)->monoNs, *beat};
        if (m_watch.onEvent) m_watch.onEvent(**event);
        return true;
    }

    // engine.md 3: no heartbeat, or heartbeats without progress.
    void watchSilence(int64_t now) {
        if (!m_client) return;
        if (now - m_heardNs > kSilentMs * kNsPerMs) {
            if (!std::exchange(m_silentTold, true)) note("the engine is not responding");
        } else
            m_silentTold = false;
        const auto& [monoNs, beat] = m_beat;
        const bool longPhase = beat.phase != "train" && beat.phase != "eval";
        const bool stalled = beat.lastProgressMonoNs > 0 && !longPhase && monoNs - beat.lastProgressMonoNs > stalledMs() * kNsPerMs;
        if (stalled && !std::exchange(m_stalledTold, true)) {
            note("stalled in phase " + beat.phase + " at step " + std::to_string(beat.step) +
                 "; stacks are in logs/stacks.txt, 'qatw stop --now' ends it");
            const auto pid = wire::readLockHolder(m_folder.lock()).pid;
            if (pid > 0) ::kill(static_cast<pid_t>(pid), SIGQUIT);
        }
        if (!stalled) m_stalledTold = false;
    }

    void obey() {
        const Wish wanted = wish();
        if (wanted == Wish::Leave) {
            m_left = true;
            return;
        }
        if (wanted > m_asked) {
            m_asked = wanted;
            ask("train.stop", wanted == Wish::StopNow ? R"({"mode":"now"})" : R"({"mode":"checkpoint"})",
                wanted == Wish::StopNow ? SIGINT : SIGTERM);
        }
        if (m_watch.forward)
            if (const auto op = m_watch.forward()) ask(*op, "{}", 0);
    }

    void ask(const std::string& op, const std::string& params, int signalInstead) {
        if (m_client && m_client->request(op, params, 2000)) return;
        const auto pid = wire::readLockHolder(m_folder.lock()).pid;
        if (signalInstead != 0 && pid > 0) ::kill(static_cast<pid_t>(pid), signalInstead);
    }

    Status ingest() {
        auto report = m_store.ingestRun(m_folder);
        if (!report) return std::move(report).error();
        return {};
    }

    [[nodiscard]] Wish wish() const { return m_watch.wish ? m_watch.wish() : Wish::GoOn; }
    void note(const std::string& text) const {
        if (m_watch.onNote) m_watch.onNote(text);
    }

    store::Store& m_store;
    const wire::RunFolder& m_folder;
    const Watch& m_watch;
    std::optional<EngineProcess> m_process;
    std::optional<EngineClient> m_client;
    std::pair<int64_t, wire::Heartbeat> m_beat;
    int64_t m_ingestedNs = 0, m_heardNs = 0;
    Wish m_asked = Wish::GoOn;
    bool m_left = false, m_storeTold = false, m_silentTold = false, m_stalledTold = false;
};

Error interrupted(const wire::RunFolder& folder, std::optional<int> code) {
    const auto crash = readFile(folder.crash(), 1 << 16);
    const bool crashed = crash && code && *code > 128 && *code != 128 + SIGKILL;
    const std::string how = !code         ? "is gone without a last word"
                            : *code > 128 ? "died of signal " + std::to_string(*code - 128)
                                          : "ended with code " + std::to_string(*code);
    return Error{code == 128 + SIGKILL ? "engine.killed" : "engine.lost", "the engine " + how + (crashed ? "; see logs/crash.json" : ""),
                 "run the same command again to continue from the last checkpoint", crashed ? *crash : std::string(), true};
}

} // namespace

RunEnd runEnd(const wire::RunFolder& folder, std::optional<int> processCode) {
    wire::EventLogReader reader(folder.events());
    RunEnd end;
    std::optional<Error> last;
    bool ended = false;
    if (const auto events = reader.readAfter(0))
        for (const auto& event : *events) {
            if (const auto* state = std::get_if<wire::StateChange>(&event.payload)) {
                end.state = state->state;
                ended = records::isEnded(state->state);
                if (!ended) last.reset(); // of an earlier attempt
            } else if (const auto* notice = std::get_if<wire::Notice>(&event.payload); notice && notice->isError)
                last = Error{notice->code, notice->message, notice->hint, notice->detail, false};
        }
    if (end.state == records::RunState::Completed) return end;
    if (end.state == records::RunState::Failed && ended) {
        end.error = last ? *last : Error{"engine.internal", "the run failed", "look at its log with 'qatw show'", "", false};
        end.exitCode = exitCode(end.error->code);
        return end;
    }
    if (end.state == records::RunState::Stopped && ended) return end;
    if (processCode && *processCode != 0 && *processCode < 128 && !ended &&
        end.state == records::RunState::Interrupted) { // never came to its log
        const auto output = readFile(folder.logs() / "engine.stderr", 16 << 20);
        std::string words = output ? *output : "";
        words = words.substr(words.size() - std::min<size_t>(words.size(), 2000));
        end.error = Error{*processCode == 75 ? "engine.busy" : "engine.internal", "the engine did not start: " + words, "", "", true};
        end.exitCode = *processCode;
        return end;
    }
    end.state = records::RunState::Interrupted;
    end.error = interrupted(folder, processCode);
    end.exitCode = processCode && *processCode != 0 ? *processCode : exitCode(end.error->code);
    return end;
}

Result<RunEnd> driveRun(store::Store& store, const wire::RunFolder& folder, const Watch& watch, bool wait) {
    return Driver(store, folder, watch).drive(wait);
}

} // namespace qw::drive
