// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine_request.h"

#include "base/clock.h"
#include "drive/engine_client.h"
#include "drive/engine_process.h"
#include "drive/locate.h"
#include "progress.h"

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

namespace qw::cli {
namespace {

using nlohmann::json;

constexpr int kHelloMs = 60'000;

Error fromJson(const json& e) {
    Error error{e.value("code", "engine.internal"), e.value("msg", ""), e.value("hint", ""), "", e.value("retry", false)};
    if (e.contains("detail")) error.detail = e["detail"].dump();
    return error;
}

struct Session {
    drive::EngineProcess::Stdio stdio;
    drive::EngineClient client;

    static Result<Session> open() {
        QW_TRY(const auto engine, drive::findEngine());
        QW_TRY(auto stdio, drive::EngineProcess::startStdio(engine));
        auto client = drive::EngineClient::greet(wire::fdTransport(stdio.fromEngine, stdio.toEngine), kHelloMs);
        if (client) return Session{std::move(stdio), *std::move(client)};
        stdio.process.kill(SIGKILL);
        Error error = std::move(client).error();
        if (error.code == "engine.lost") error.message = engine.string() + " did not start: " + stdio.errorText();
        return error;
    }
    // Of a connection that broke in the middle.
    [[nodiscard]] Error death() {
        for (int i = 0; i < 100 && !stdio.process.ended(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        const int code = stdio.process.exitCode().value_or(70);
        const std::string how = code > 128 ? "died of signal " + std::to_string(code - 128) : "ended with code " + std::to_string(code);
        return Error{code == 128 + SIGKILL ? "engine.killed" : "engine.lost", "the engine " + how + ": " + stdio.errorText(),
                     "try a smaller input, or report it", "", true};
    }
};

} // namespace

Result<std::string> askEngine(const std::string& op, const std::string& params, const std::function<void(const wire::Event&)>& onEvent,
                              const std::function<bool()>& stopWish) {
    watchInterrupts();
    QW_TRY(auto session, Session::open());
    QW_TRY(const std::string accepted, session.client.request(op, params, 10'000));
    const int64_t jobId = json::parse(accepted).value("job", int64_t{0});
    for (bool asked = false;;) {
        const drive::Wish wish = interruptWish();
        if (stopWish && !asked && (wish == drive::Wish::Stop || stopWish())) {
            asked = true;
            static_cast<void>(session.client.request("job.cancel", "{}", 10'000)); // a broken connection shows below
        } else if (wish > (stopWish ? drive::Wish::Stop : drive::Wish::GoOn)) {
            session.stdio.process.kill(SIGKILL); // nothing of it is visible yet
            return Error{"engine.cancelled", "stopped on request", "", "", true};
        }
        auto event = session.client.next(200);
        if (!event) return session.death();
        if (!*event) continue;
        const auto* raw = std::get_if<wire::RawEvent>(&(*event)->payload);
        if (!raw || raw->name != "result") {
            if (onEvent) onEvent(**event);
            continue;
        }
        const json body = json::parse(raw->data, nullptr, false);
        if (body.value("job", int64_t{0}) != jobId) continue;
        static_cast<void>(session.client.request("shutdown", "{}", 2000));
        if (!body.value("ok", false)) return fromJson(body.value("e", json::object()));
        return body.value("r", json::object()).dump();
    }
}

Result<formats::LogitsCheck> compareLogits(const std::filesystem::path& source, const std::filesystem::path& exported,
                                           const std::function<void(const wire::Event&)>& onEvent) {
    const nlohmann::json params{{"reference", source.string()}, {"exported", exported.string()}};
    QW_TRY(const auto text, askEngine("export.check", params.dump(), onEvent));
    const auto j = nlohmann::json::parse(text);
    return formats::LogitsCheck{j["logits_max"], j["logits_mean"], j["logits_scale"], j["same_top"], j["tokens"]};
}

Result<double> timeToHello() {
    const int64_t start = monotonicNs();
    QW_TRY(auto session, Session::open());
    const double ms = static_cast<double>(monotonicNs() - start) * 1e-6;
    static_cast<void>(session.client.request("shutdown", "{}", 5000));
    for (int i = 0; i < 500 && !session.stdio.process.ended(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return ms;
}

} // namespace qw::cli
