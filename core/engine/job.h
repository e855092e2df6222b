// SPDX-License-Identifier: GPL-3.0-or-later
// What: the work of one run, by its kind: train or qat, ptq, eval (recipe.md 2). Runs on the job thread; owns everything of torch.
// Why here: finished parts are found in the journal and skipped, so a killed run is continued by calling the same function again.
#pragma once

#include "base/cancel.h"
#include "engine/journal.h"
#include "records/recipe.h"
#include "records/run.h"
#include "train/live_settings.h"
#include "wire/sink.h"

#include <atomic>
#include <filesystem>
#include <functional>

namespace qw::engine {

struct JobInput {
    std::filesystem::path runDir;
    records::RunIdentity identity;
    records::Recipe recipe; // resolved: one seed, no schemes
    std::string configHash;
    Journal journal;
    wire::Sink emit;
    CancelToken& cancel;
    std::atomic<bool>* checkpointRequested = nullptr;
    train::LiveSettings* live = nullptr;
    std::function<Status()> syncLog{};
};

enum class JobEnd : uint8_t { Completed, Stopped };
// Errors have been neither logged nor sent yet.
[[nodiscard]] Result<JobEnd> runJob(JobInput& input);

} // namespace qw::engine
