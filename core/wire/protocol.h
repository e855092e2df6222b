// SPDX-License-Identifier: GPL-3.0-or-later
// What: the lines of engine.md 2: requests, responses, events; framing with its limits; the hello of both sides.
#pragma once

#include "base/result.h"
#include "wire/events.h"
#include "wire/json_events.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace qw::wire {

constexpr size_t kMaxLineBytes = 1 << 20; // without LF
constexpr int kMaxBadLines = 3;           // in a row, then the connection is closed

struct Request {
    int64_t id = 0;
    std::string op;
    std::string params = "{}"; // JSON object text
};
struct Response {
    int64_t id = 0;
    bool ok = true;
    std::string result = "{}"; // JSON object text
    Error error;               // when not ok
};
using Message = std::variant<Request, Response, Event>;

[[nodiscard]] std::string format(const Request& request); // one line without LF
[[nodiscard]] std::string format(const Response& response);
[[nodiscard]] Response okResponse(int64_t id, std::string result = "{}");
[[nodiscard]] Response errorResponse(int64_t id, Error error);
[[nodiscard]] Result<Message> parseMessage(std::string_view line); // proto.bad_line, proto.version

// Bytes in, messages out. A bad or too long line comes out as proto.bad_line and costs nothing else, the third in a row closes.
class MessageReader {
public:
    void feed(std::string_view bytes);
    [[nodiscard]] std::optional<Result<Message>> next(); // nothing: wait for more bytes, or closed
    [[nodiscard]] bool closed() const { return m_badInRow >= kMaxBadLines; }

private:
    Error badLine(std::string message);
    std::string m_buffer;
    size_t m_start = 0, m_scanned = 0;
    bool m_skipping = false; // inside a line that is too long
    int m_badInRow = 0;
};

// The engine's first line is the hello event; the client answers with the request "hello" and gets one response.
[[nodiscard]] Hello engineHello(); // protocol range, version and build id; the engine adds the rest
// Protocol ranges overlap and both are of one build, else proto.version (exit 78) saying which side is older.
[[nodiscard]] Status checkHello(const Hello& hello);
[[nodiscard]] Request helloRequest(int64_t id);
[[nodiscard]] Status checkHelloRequest(const Request& request);

} // namespace qw::wire
