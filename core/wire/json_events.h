// SPDX-License-Identifier: GPL-3.0-or-later
// What: events and the records beside them as JSON text, both ways. Numbers that are not finite travel as "nan", "inf", "-inf".
// Limits: unknown fields are ignored, missing ones keep their default; a wrong type is proto.bad_line naming the field.
#pragma once

#include "base/result.h"
#include "wire/events.h"

#include <string>
#include <string_view>

namespace qw::wire {

constexpr int kProtocolVersion = 1;
constexpr int kMaxJsonDepth = 32;
constexpr int64_t kMaxWireInteger = int64_t{1} << 53;

[[nodiscard]] std::string toJson(const Event& event);             // one line with the envelope of engine.md 2.2, no LF
[[nodiscard]] Result<Event> eventFromJson(std::string_view text); // an unknown name becomes a RawEvent
[[nodiscard]] std::string payloadJson(const Payload& payload);    // the "d" object alone
[[nodiscard]] Result<Payload> payloadFromJson(const std::string& name, std::string_view data);

[[nodiscard]] std::string toJson(const records::EvalItem& item); // one line of an items file
[[nodiscard]] Result<records::EvalItem> evalItemFromJson(std::string_view text);

// Text of run.json. Keys of `before` (an earlier run.json, may be empty) that are not ours are kept.
[[nodiscard]] std::string toJson(const records::RunIdentity& identity, std::string_view before = {});
[[nodiscard]] Result<records::RunIdentity> identityFromJson(std::string_view text);

// Deepest nesting of arrays and objects in JSON text, without parsing it.
[[nodiscard]] int jsonDepth(std::string_view text);

} // namespace qw::wire
