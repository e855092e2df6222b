// SPDX-License-Identifier: GPL-3.0-or-later
// What: one line of the log as people read it, from an event or from the window itself.
#pragma once

#include "wire/events.h"

#include <cstdint>
#include <optional>
#include <string>

namespace qw::ui {

enum class LogLevel : uint8_t { Step, Info, Warning, Error }; // Step: what comes with every step
enum class LogSource : uint8_t { Engine, Window };

struct LogRow {
    int64_t tsMs = 0;
    int64_t step = -1; // newest step when it was said
    LogLevel level = LogLevel::Info;
    LogSource source = LogSource::Engine;
    std::string text; // numbers in the C locale
};

// step: of the newest metrics before; moved on by metrics and attempts. Nothing for heartbeats and progress.
[[nodiscard]] std::optional<LogRow> logRow(const wire::Event& event, int64_t& step);

} // namespace qw::ui
