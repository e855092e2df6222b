// SPDX-License-Identifier: GPL-3.0-or-later
// What: from a run back to a recipe: to begin another study from it, and to compute it again.
#pragma once

#include "base/result.h"
#include "client/snapshot.h"
#include "records/recipe.h"

namespace qw::ui {

// A recipe that begins where this run's was: its scheme as the only entry, its name marked as a copy.
[[nodiscard]] Result<records::Recipe> recipeOfRun(const RunFacts& run);
// The shell line that computes this run again into a project of its own.
[[nodiscard]] QString reproduceCommand(const RunFacts& run);

} // namespace qw::ui
