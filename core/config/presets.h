// SPDX-License-Identifier: GPL-3.0-or-later
// What: the built-in schemes by name (quantization.md 5), and `key.path=value` edits of a scheme or a recipe.
#pragma once

#include "base/result.h"
#include "records/recipe.h"

#include <string>
#include <vector>

namespace qw::config {

struct SchemePreset {
    const char* name;
    const char* summary;  // what it is for, one line
    const char* runtimes; // which programs run such weights at full speed (export.md 1, 3)
};
[[nodiscard]] const std::vector<SchemePreset>& schemePresets();
// config.invalid naming the nearest preset; presets of other families are refused by name.
[[nodiscard]] Result<records::QatBlock> schemePreset(const std::string& name);

// Keys are those of the `qat:` block, e.g. "weight.group_size=64"; all are read as one block, so their order does not matter.
[[nodiscard]] Status applySets(records::QatBlock& block, const std::vector<std::string>& sets);
[[nodiscard]] Status applySet(records::QatBlock& block, const std::string& set);
// Keys of the recipe, e.g. "train.max_steps=20"; list items by position or by name ("eval.tasks.hellaswag.limit=50"). A key that a scheme
// entry overrides is set there too. Relative paths belong to the current folder.
[[nodiscard]] Status applySets(records::Recipe& recipe, const std::vector<std::string>& sets);

} // namespace qw::config
