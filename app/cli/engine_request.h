// SPDX-License-Identifier: GPL-3.0-or-later
// What: one long request to an engine of our own (logits, plan, bench): start it, ask, wait for the result event.
#pragma once

#include "base/result.h"
#include "formats/sheet.h"
#include "wire/events.h"

#include <functional>
#include <string>

namespace qw::cli {

// stopWish given: when it says so, or at the first Ctrl+C, the job is asked to end and its result is still awaited. Without: Ctrl+C kills.
// The result's JSON; the engine's own error; engine.lost with what it wrote on standard error when it died.
[[nodiscard]] Result<std::string> askEngine(const std::string& op, const std::string& params,
                                            const std::function<void(const wire::Event&)>& onEvent,
                                            const std::function<bool()>& stopWish = {});
// Of two model folders, by an engine of their own.
[[nodiscard]] Result<formats::LogitsCheck> compareLogits(const std::filesystem::path& source, const std::filesystem::path& exported,
                                                         const std::function<void(const wire::Event&)>& onEvent);
// From spawn to a checked hello, in milliseconds.
[[nodiscard]] Result<double> timeToHello();

} // namespace qw::cli
