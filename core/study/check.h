// SPDX-License-Identifier: GPL-3.0-or-later
// What: a recipe checked together with its model's config.json, as `validate` and `run` do it.
#pragma once

#include "config/validate.h"

namespace qw::study {

// A config.json that cannot be used is a finding of its own.
[[nodiscard]] std::vector<config::Finding> checkRecipe(const config::RecipeFile& file);

} // namespace qw::study
