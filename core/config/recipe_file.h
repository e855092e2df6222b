// SPDX-License-Identifier: GPL-3.0-or-later
// What: a recipe as text to records::Recipe and back, and the resolved recipe of one member (recipe.md 1).
// Layers: preset, the file, the scheme's entry, --set. Maps merge key by key, lists replace; paths are absolute after loading.
#pragma once

#include "base/result.h"
#include "records/recipe.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qw::config {

struct RecipeFile {
    records::Recipe recipe;
    std::string text;                         // as written
    std::map<std::string, std::string> lines; // "optim.lr" -> "file:line", "eval.tasks[0].path" -> …; only keys that somebody wrote
};

// fileName is shown in messages and gives relative paths their folder. Errors: config.invalid or config.unknown_key, one line each:
// "<file>:<line>: <key>: <what>".
[[nodiscard]] Result<RecipeFile> parseRecipeFile(std::string_view text, const std::filesystem::path& fileName,
                                                 const std::vector<std::string>& sets = {});
[[nodiscard]] Result<RecipeFile> loadRecipe(const std::filesystem::path& file, const std::vector<std::string>& sets = {});
[[nodiscard]] Result<records::Recipe> parseRecipe(std::string_view text, const std::filesystem::path& fileName);
// JSON, every key written out; parseRecipe gives back an equal recipe.
[[nodiscard]] std::string writeRecipe(const records::Recipe& recipe);
// YAML in the spelling of recipe.md 1: only what differs from the defaults (or from the recipe's preset); parseRecipe gives back an equal
// recipe. The name and the learning rate are always there.
[[nodiscard]] std::string writeRecipeYaml(const records::Recipe& recipe);
[[nodiscard]] std::string writeQatBlock(const records::QatBlock& block); // JSON, one line

// A scheme entry from its own YAML map (its `name` key included or not); the text is brought into its canonical form.
[[nodiscard]] Result<records::SchemeEntry> makeScheme(const std::string& name, const std::string& yaml);
// The recipe of one run: the scheme's entry applied (empty: the shared parts alone), one seed, no schemes, preset, exports and verdict
// left.
[[nodiscard]] Result<records::Recipe> resolveMember(const records::Recipe& study, const std::string& scheme, uint64_t seed);

} // namespace qw::config
