// SPDX-License-Identifier: GPL-3.0-or-later
// What: ways to go on with a run besides its newest checkpoint: from an earlier one, for more steps, with more tasks to measure.
// Why here: `qatw resume --from`, `extend` and `measure` and the window prepare the same folders; then the run is driven as any other.
// Limits: nothing is started here; only runs that no engine works on.
#pragma once

#include "base/result.h"
#include "records/recipe.h"
#include "store/store.h"

#include <cstdint>
#include <vector>

namespace qw::drive {

// The run will go on from this checkpoint: newer ones are removed. engine.busy, engine.state (no such checkpoint).
[[nodiscard]] Status rewindRun(const wire::RunFolder& folder, int64_t step);
// A new run beside the old one: its recipe with so many more steps, its newest checkpoint (hard links where it can) and the curves up to
// there. The old run keeps its facts. engine.busy, engine.state (no checkpoint left, nothing was trained).
[[nodiscard]] Result<wire::RunFolder> extendRun(store::Store& store, const store::RunInfo& run, int64_t steps);
// Tasks that the run has no final result of, added to what it measures; the names of those. engine.busy.
[[nodiscard]] Result<std::vector<std::string>> addTasks(const store::Store& store, const store::RunInfo& run,
                                                        const std::vector<records::EvalTask>& tasks);

} // namespace qw::drive
