// SPDX-License-Identifier: GPL-3.0-or-later
// What: everything the store knows of one run that the Live page shows, read in one go on the store's thread.
#pragma once

#include "base/result.h"
#include "models/live_series.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <vector>

namespace qw::ui {

struct LiveMark { // of the run's life, for flags on x
    enum class Kind : uint8_t { Checkpoint, Attempt, Warning, Error };
    Kind kind = Kind::Checkpoint;
    int64_t step = 0;
    std::string text;  // of warnings and errors
    bool best = false; // checkpoint
};

struct LiveRead {
    store::RunInfo info;
    LiveHistory history;
    std::vector<LiveMark> marks;
    std::vector<records::LayerInfo> layers;
    std::vector<int64_t> checkpoints; // steps that are complete on disk, rising
};
[[nodiscard]] Result<LiveRead> readLive(store::Store& store, const std::string& uid);

// What a dead run left behind: the last lines of its engine and log, oldest first, and the checkpoint that Resume takes (-1: none).
// The disk is asked, not the log: an engine may die between writing a checkpoint and saying so.
struct LastWords {
    std::string text;
    int64_t checkpoint = -1;
};
[[nodiscard]] Result<LastWords> lastWords(store::Store& store, const std::string& uid, size_t lines);

// The mark that an event leaves; step: the newest one before it. Nothing for most events.
[[nodiscard]] std::optional<LiveMark> markOf(const wire::Payload& payload, int64_t step);

} // namespace qw::ui
