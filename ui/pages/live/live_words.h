// SPDX-License-Identifier: GPL-3.0-or-later
// What: what the Live page says when something goes wrong: deaths of engines and numbers that are not finite, with the policy taken.
#pragma once

#include "base/error.h"
#include "client/snapshot.h"
#include "wire/events.h"

#include <QString>
#include <optional>

namespace qw::ui {

// Empty: nothing died. Code, fact and cause as the store knows them; detail: the last lines of the engine.
[[nodiscard]] std::optional<Error> deathOf(const store::RunInfo& run, const QString& lastWords);
// A warning about a number that is not finite, or about a disk that is full, naming the policy that was taken; nothing for others.
[[nodiscard]] std::optional<Error> policyTaken(const wire::Notice& notice, const store::RunInfo& run);
// The same for a point that came without a warning: by the run's own recipe (watchdog.nonfinite).
[[nodiscard]] Error nonfinitePoint(const store::RunInfo& run, const std::string& curve, int64_t step);

// Which run the page follows when none is chosen: the one in work, else the newest that was trained, else the newest.
[[nodiscard]] QString runToFollow(const Snapshot& snapshot);

} // namespace qw::ui
