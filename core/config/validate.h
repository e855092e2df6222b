// SPDX-License-Identifier: GPL-3.0-or-later
// What: what is wrong with a recipe before anything runs (training.md 16), all at once, with the line that says it where there is one.
#pragma once

#include "config/recipe_file.h"

#include <optional>
#include <string>
#include <vector>

namespace qw::config {

struct Finding {
    bool isError = false;
    std::string where; // "file:line", or empty
    std::string key;   // "optim.lr"
    std::string message, hint;
};

// What only the model's config.json knows; read by the caller.
struct ModelNumbers {
    int64_t maxPositions = 0;
    bool ropeScaled = false;
    std::vector<std::pair<std::string, int64_t>> linears, embeddings; // module name, length of a row; for group sizes
};

[[nodiscard]] std::vector<Finding> validate(const RecipeFile& file, const std::optional<ModelNumbers>& model);
[[nodiscard]] bool hasErrors(const std::vector<Finding>& findings);
// The errors as one Error (config.invalid; file.not_found when nothing but paths is missing), for callers that stop there.
[[nodiscard]] Error findingsError(const std::vector<Finding>& findings);
// "max_steps" of a resolved member, or nothing when epochs decide.
[[nodiscard]] std::optional<int64_t> knownSteps(const records::Recipe& resolved);

} // namespace qw::config
