// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/protocol.h"

#include "base/build_info.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace qw::wire {
namespace {

using Json = nlohmann::ordered_json;
constexpr size_t kMaxCauseBytes = 4096;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }
Error bad(std::string what) { return {"proto.bad_line", std::move(what), {}, {}, false}; }

// Text that should be a JSON object; anything else becomes {}.
Json object(const std::string& text) {
    Json json = Json::parse(text, nullptr, false);
    return json.is_object() ? json : Json::object();
}

std::optional<std::string> textAt(const Json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
}
std::optional<int64_t> intAt(const Json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number_integer()) return std::nullopt;
    const auto value = found->get<int64_t>();
    if (value < -kMaxWireInteger || value > kMaxWireInteger) return std::nullopt;
    return value;
}

Result<Message> parseRequest(const Json& json) {
    const auto id = intAt(json, "id");
    auto op = textAt(json, "op");
    if (!id || !op || op->empty()) return bad("request without 'id' or 'op'");
    const auto params = json.find("p");
    if (params != json.end() && !params->is_object()) return bad("request '" + *op + "': 'p' is not an object");
    return Message(Request{*id, *std::move(op), params == json.end() ? "{}" : dump(*params)});
}

Result<Message> parseResponse(const Json& json) {
    const auto id = intAt(json, "id");
    const auto ok = json.find("ok");
    if (!id || ok == json.end() || !ok->is_boolean()) return bad("response without 'id' or 'ok'");
    Response response{*id, ok->get<bool>(), "{}", {}};
    if (response.ok) {
        if (const auto result = json.find("r"); result != json.end()) {
            if (!result->is_object()) return bad("response: 'r' is not an object");
            response.result = dump(*result);
        }
        return Message(std::move(response));
    }
    const auto error = json.find("e");
    if (error == json.end() || !error->is_object()) return bad("failed response without 'e'");
    response.error.code = textAt(*error, "code").value_or("engine.internal");
    response.error.message = textAt(*error, "msg").value_or("");
    response.error.hint = textAt(*error, "hint").value_or("");
    if (const auto detail = error->find("detail"); detail != error->end() && detail->is_object() && !detail->empty())
        response.error.detail = dump(*detail);
    if (const auto retry = error->find("retry"); retry != error->end() && retry->is_boolean()) response.error.retry = retry->get<bool>();
    return Message(std::move(response));
}

} // namespace

std::string format(const Request& request) {
    return dump(Json{{"v", kProtocolVersion}, {"t", "req"}, {"id", request.id}, {"op", request.op}, {"p", object(request.params)}});
}

std::string format(const Response& response) {
    Json json{{"v", kProtocolVersion}, {"t", "res"}, {"id", response.id}, {"ok", response.ok}};
    if (response.ok)
        json["r"] = object(response.result);
    else
        json["e"] = Json{{"code", response.error.code},
                         {"msg", response.error.message.substr(0, kMaxCauseBytes)},
                         {"hint", response.error.hint},
                         {"detail", object(response.error.detail)},
                         {"retry", response.error.retry}};
    return dump(json);
}

Response okResponse(int64_t id, std::string result) { return {id, true, std::move(result), {}}; }
Response errorResponse(int64_t id, Error error) { return {id, false, "{}", std::move(error)}; }

Result<Message> parseMessage(std::string_view line) {
    if (line.size() > kMaxLineBytes) return bad("line longer than 1 MiB");
    if (jsonDepth(line) > kMaxJsonDepth) return bad("line is nested deeper than " + std::to_string(kMaxJsonDepth));
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return bad("line is not a JSON object");
    const auto version = intAt(json, "v");
    const auto kind = textAt(json, "t");
    if (!version || !kind) return bad("line without 'v' or 't'");
    if (*version != kProtocolVersion)
        return Error{"proto.version",
                     "line of protocol version " + std::to_string(*version) + ", this program speaks " + std::to_string(kProtocolVersion),
                     "update the older of the two programs",
                     {},
                     false};
    if (*kind == "req") return parseRequest(json);
    if (*kind == "res") return parseResponse(json);
    if (*kind != "evt") return bad("line of unknown kind '" + kind->substr(0, 32) + "'");
    QW_TRY(Event event, eventFromJson(line));
    return Message(std::move(event));
}

void MessageReader::feed(std::string_view bytes) {
    if (closed()) return;
    if (m_start > 0 && m_start == m_buffer.size()) {
        m_buffer.clear();
        m_start = m_scanned = 0;
    }
    m_buffer.append(bytes);
}

Error MessageReader::badLine(std::string message) {
    ++m_badInRow;
    if (closed()) message += "; three bad lines in a row, the connection is closed";
    return bad(std::move(message));
}

std::optional<Result<Message>> MessageReader::next() {
    while (!closed()) {
        const size_t end = m_buffer.find('\n', m_scanned);
        if (end == std::string::npos) {
            m_scanned = m_buffer.size();
            if (m_buffer.size() - m_start > kMaxLineBytes) {
                // Too long already: forget what came, wait for its end.
                m_buffer.clear();
                m_start = m_scanned = 0;
                if (!std::exchange(m_skipping, true)) return Result<Message>(badLine("line longer than 1 MiB"));
            } else if (m_start > kMaxLineBytes) {
                m_buffer.erase(0, m_start);
                m_start = 0;
                m_scanned = m_buffer.size();
            }
            return std::nullopt;
        }
        const std::string_view line(m_buffer.data() + m_start, end - m_start);
        m_start = m_scanned = end + 1;
        if (std::exchange(m_skipping, false) || line.empty()) continue;
        auto message = parseMessage(line);
        if (message) {
            m_badInRow = 0;
            return message;
        }
        if (message.error().code == "proto.version") return message;
        return Result<Message>(badLine(message.error().message));
    }
    return std::nullopt;
}

Hello engineHello() {
    Hello hello;
    hello.protoMin = hello.protoMax = kProtocolVersion;
    hello.engineVersion = version();
    hello.buildId = buildId();
    return hello;
}

Status checkHello(const Hello& hello) {
    const auto refuse = [&](const std::string& what) {
        return Error{"proto.version", what, "rebuild or reinstall, so that the tool and the engine come from one build", {}, false};
    };
    if (hello.protoMin > kProtocolVersion)
        return refuse("the engine speaks protocol " + std::to_string(hello.protoMin) + " or newer, this program " +
                      std::to_string(kProtocolVersion) + ": this program is the older one");
    if (hello.protoMax < kProtocolVersion)
        return refuse("the engine speaks protocol " + std::to_string(hello.protoMax) + " at most, this program " +
                      std::to_string(kProtocolVersion) + ": the engine is the older one");
    if (hello.buildId != buildId())
        return refuse("the engine is of build " + hello.buildId + ", this program of build " + std::string(buildId()));
    return {};
}

Request helloRequest(int64_t id) {
    return {id, "hello", dump(Json{{"proto", {kProtocolVersion, kProtocolVersion}}, {"build_id", buildId()}})};
}

Status checkHelloRequest(const Request& request) {
    const Json json = object(request.params);
    const auto proto = json.find("proto");
    if (request.op != "hello" || proto == json.end() || !proto->is_array() || proto->size() != 2 || !(*proto)[0].is_number_integer() ||
        !(*proto)[1].is_number_integer())
        return bad("the first request must be hello with 'proto': [min, max]");
    Hello client;
    client.protoMin = (*proto)[0].get<int>();
    client.protoMax = (*proto)[1].get<int>();
    client.buildId = textAt(json, "build_id").value_or("");
    if (auto status = checkHello(client); !status) {
        status.error().message =
            "the client does not fit this engine (the words below are from the engine's side): " + status.error().message;
        return status;
    }
    return {};
}

} // namespace qw::wire
