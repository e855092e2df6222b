// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/engine_client.h"

#include "base/clock.h"

#include <algorithm>

namespace qw::drive {
namespace {

Error lost() {
    return Error{"engine.lost", "the engine has closed the connection", "look at logs/engine.stderr in the run's folder", "", true};
}
Error timedOut(const std::string& what) {
    return Error{"engine.timeout", "the engine did not answer " + what + " in time", "try again, or stop the engine", "", true};
}

int remaining(int64_t untilNs) { return static_cast<int>(std::max<int64_t>(0, (untilNs - monotonicNs()) / 1'000'000)); }
int64_t deadline(int timeoutMs) { return monotonicNs() + int64_t{timeoutMs} * 1'000'000; }

} // namespace

Result<EngineClient> EngineClient::greet(std::unique_ptr<wire::Transport> transport, int timeoutMs) {
    EngineClient client(std::move(transport));
    const int64_t until = deadline(timeoutMs);
    QW_TRY(const auto first, client.message(timeoutMs));
    if (!first) return timedOut("with hello");
    const auto* event = std::get_if<wire::Event>(&*first);
    const auto* hello = event ? std::get_if<wire::Hello>(&event->payload) : nullptr;
    if (!hello) return Error{"proto.bad_line", "the first line of the engine is no hello", "another program answers there", "", false};
    client.m_hello = *hello;
    QW_CHECK(wire::checkHello(*hello));
    const int64_t id = client.m_nextId++;
    QW_CHECK(client.send(wire::helloRequest(id), remaining(until)));
    for (;;) {
        QW_TRY(auto answer, client.message(remaining(until)));
        if (!answer) return timedOut("our hello");
        if (auto* seen = std::get_if<wire::Event>(&*answer))
            client.m_events.push_back(std::move(*seen));
        else if (auto* response = std::get_if<wire::Response>(&*answer); response && response->id == id) {
            if (!response->ok) return response->error;
            return client;
        }
    }
}

Status EngineClient::send(const wire::Request& request, int timeoutMs) {
    const std::string line = wire::format(request) + '\n';
    std::string_view rest = line;
    const int64_t until = deadline(timeoutMs);
    while (!rest.empty()) {
        QW_TRY(const size_t written, m_transport->write(rest));
        rest.remove_prefix(written);
        if (!rest.empty() && !m_transport->wait(true, remaining(until)) && remaining(until) == 0) return timedOut(request.op);
    }
    return {};
}

Result<std::optional<wire::Message>> EngineClient::message(int timeoutMs) {
    const int64_t until = deadline(timeoutMs);
    for (;;) {
        while (auto got = m_reader.next()) {
            if (!*got) continue; // a line of another version is left out
            return std::optional<wire::Message>(**std::move(got));
        }
        if (m_reader.closed()) return lost();
        std::string bytes;
        QW_TRY(const size_t n, m_transport->read(bytes));
        if (n > 0) {
            m_reader.feed(bytes);
            continue;
        }
        if (remaining(until) == 0) return std::optional<wire::Message>();
        m_transport->wait(false, remaining(until));
    }
}

Result<std::string> EngineClient::request(const std::string& op, const std::string& params, int timeoutMs) {
    const int64_t id = m_nextId++;
    const int64_t until = deadline(timeoutMs);
    QW_CHECK(send(wire::Request{id, op, params}, timeoutMs));
    for (;;) {
        QW_TRY(auto answer, message(remaining(until)));
        if (!answer) return timedOut(op);
        if (auto* event = std::get_if<wire::Event>(&*answer))
            m_events.push_back(std::move(*event));
        else if (auto* response = std::get_if<wire::Response>(&*answer); response && response->id == id) {
            if (!response->ok) return response->error;
            return response->result;
        }
    }
}

Result<std::optional<wire::Event>> EngineClient::next(int timeoutMs) {
    const int64_t until = deadline(timeoutMs);
    while (m_events.empty()) {
        QW_TRY(auto got, message(remaining(until)));
        if (!got) return std::optional<wire::Event>();
        if (auto* event = std::get_if<wire::Event>(&*got)) m_events.push_back(std::move(*event));
    }
    std::optional<wire::Event> event = std::move(m_events.front());
    m_events.pop_front();
    return event;
}

} // namespace qw::drive
