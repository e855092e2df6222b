// SPDX-License-Identifier: GPL-3.0-or-later
// What: brings one run to its end: starts its engine or attaches to a living one, projects its log into the store, watches for silence.
// Why here: `eval` and `ptq` drive one run, a study's supervisor one after the other.
#pragma once

#include "base/result.h"
#include "store/store.h"
#include "wire/run_folder.h"

#include <filesystem>
#include <functional>
#include <optional>

namespace qw::drive {

// What a person (or a signal) wants from the job in work. Each level is asked for once.
enum class Wish : uint8_t { GoOn, Stop, StopNow, Leave }; // Leave: stop watching, the engine goes on

struct Watch {
    std::function<void(const wire::Event&)> onEvent;     // live events; may be empty
    std::function<void(const std::string&)> onNote;      // sentences for people: waiting, attached, not responding
    std::function<Wish()> wish;                          // polled several times a second
    std::function<std::optional<std::string>()> forward; // an operation for the engine, "train.pause" …, from elsewhere
};

struct RunEnd {
    records::RunState state = records::RunState::Interrupted;
    int exitCode = 0;
    std::optional<Error> error; // why it did not complete
    bool left = false;          // Wish::Leave
};

// job.lock is taken by the engine itself, so that a killed supervisor does not free it. wait: until another job has ended, else
// engine.busy.
[[nodiscard]] Result<RunEnd> driveRun(store::Store& store, const wire::RunFolder& folder, const Watch& watch, bool wait);

// From the run's log and folder alone.
[[nodiscard]] RunEnd runEnd(const wire::RunFolder& folder, std::optional<int> processCode);

} // namespace qw::drive
