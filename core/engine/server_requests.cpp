// SPDX-License-Identifier: GPL-3.0-or-later
// What: what clients of the engine ask for and what they are answered (engine.md 2.3).
#include "base/clock.h"
#include "engine/crash.h"
#include "engine/device.h"
#include "engine/server_client.h"
#include "wire/run_folder.h"

#include <nlohmann/json.hpp>

namespace qw::engine {
namespace {

using nlohmann::json;

Result<CancelLevel> stopLevel(const json& params) {
    const json mode = params.value("mode", json("checkpoint"));
    if (mode == "finish_step") return CancelLevel::StopAtStep;
    if (mode == "checkpoint") return CancelLevel::StopWithCheckpoint;
    if (mode == "now") return CancelLevel::Now;
    return Error{"config.invalid", "train.stop has no mode " + mode.dump(-1, ' ', false, json::error_handler_t::replace),
                 "use finish_step, checkpoint or now", "", false};
}

} // namespace

void Server::readClient(Client& client) {
    std::string bytes;
    const auto got = client.transport->read(bytes);
    if (!bytes.empty()) client.reader.feed(bytes);
    while (auto message = client.reader.next()) {
        if (!*message) {
            client.respond(wire::errorResponse(0, message->error()));
            continue;
        }
        if (const auto* request = std::get_if<wire::Request>(&**message)) answer(client, *request);
    }
    if (!got || client.reader.closed()) {
        static_cast<void>(client.live.pump(*client.transport)); // the answer that says why
        client.gone = true;
    }
}

void Server::answer(Client& client, const wire::Request& request) {
    for (const auto& earlier : client.answered)
        if (earlier.id == request.id && request.id != 0) {
            client.live.push(earlier);
            return;
        }
    if (request.op == "hello") {
        const auto fits = wire::checkHelloRequest(request);
        client.greeted = fits.ok();
        client.respond(fits ? wire::okResponse(request.id) : wire::errorResponse(request.id, fits.error()));
        if (fits) return;
        static_cast<void>(client.live.pump(*client.transport));
        client.gone = true;
        if (client.adopted) finish(exitCode("proto.version"), "another protocol version");
        return;
    }
    auto result = handle(client, request);
    client.respond(result ? wire::okResponse(request.id, *std::move(result)) : wire::errorResponse(request.id, std::move(result).error()));
}

Result<std::string> Server::handle(Client& client, const wire::Request& request) {
    if (!client.greeted) return Error{"engine.state", "the first request must be hello", "", "", false};
    const json params = json::parse(request.params, nullptr, false);
    if (!params.is_object()) return Error{"proto.bad_line", "p is not an object", "", "", false};
    const auto state = [this] { return records::stateName(m_state.state); };
    if (request.op == "ping")
        return json{{"state", state()},
                    {"phase", currentPhase()},
                    {"step", currentStep()},
                    {"uptime_ms", (monotonicNs() - m_startedNs) / 1'000'000}}
            .dump();
    if (request.op == "device.list") return json{{"devices", json::parse(devicesJson())}}.dump();
    if (request.op == "shutdown") {
        if (m_runDir.empty()) {
            m_cancel.raise(CancelLevel::Now);
            finish(0, "shutdown");
        } else
            requestStop(CancelLevel::StopWithCheckpoint, "shutdown");
        return json{{"accepted", true}}.dump();
    }
    if (request.op == "job.cancel") {
        requestStop(CancelLevel::Now, "cancelled");
        return json{{"accepted", true}}.dump();
    }
    const auto extra = m_handlers.find(request.op);
    const bool ofRun = request.op == "attach" || request.op.starts_with("train.");
    if (!ofRun && extra != m_handlers.end()) return extra->second(request);
    if (!ofRun || m_runDir.empty()) return Error{"proto.unknown_op", "this engine has no operation '" + request.op + "'", "", "", false};
    if (params.contains("run") && params["run"] != m_run)
        return Error{"engine.state", "this engine works on run " + m_run, "attach to the run's own socket", "", false};
    if (request.op == "attach") return attach(client, request);
    if (records::isEnded(m_state.state)) return Error{"engine.state", "the run is " + std::string(state()), "", "", false};
    if (extra != m_handlers.end()) return extra->second(request);
    if (request.op == "train.pause") {
        const json release = params.value("release", json(false));
        if (!release.is_boolean()) return Error{"config.invalid", "train.pause: release is neither true nor false", "", "", false};
        if (release.get<bool>())
            requestStop(CancelLevel::StopWithCheckpoint, "pause, memory released");
        else {
            m_cancel.raise(CancelLevel::Pause);
            say(wire::StateChange{records::RunState::Pausing, currentPhase(), "on request"});
        }
        return json{{"accepted", true}, {"state", "pausing"}}.dump();
    }
    if (request.op == "train.resume") {
        m_cancel.resume();
        return json{{"accepted", true}, {"state", "running"}}.dump();
    }
    if (request.op == "train.checkpoint") {
        m_checkpointRequested = true;
        return json{{"accepted", true}, {"state", state()}}.dump();
    }
    if (request.op == "train.stop") {
        QW_TRY(const CancelLevel level, stopLevel(params));
        requestStop(level, "on request");
        return json{{"accepted", true}, {"state", "stopping"}}.dump();
    }
    return Error{"proto.unknown_op", "this engine has no operation '" + request.op + "'", "", "", false};
}

Result<std::string> Server::attach(Client& client, const wire::Request& request) {
    const json params = json::parse(request.params, nullptr, false);
    const json afterValue = params.value("after_seq", json(0));
    if (!afterValue.is_number_integer()) return Error{"proto.bad_line", "attach: after_seq is not a whole number", "", "", false};
    const auto after = afterValue.get<int64_t>();
    client.attached = true;
    client.gap.emplace(wire::RunFolder{m_runDir}.events());
    client.gapAfter = after;
    return json{{"run", m_run}, {"state", records::stateName(m_state.state)}, {"last_seq", m_log ? m_log->lastSeq() : 0}}.dump();
}

} // namespace qw::engine
