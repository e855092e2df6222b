// SPDX-License-Identifier: GPL-3.0-or-later
// What: what is wrong with a recipe, what it would run and how it is written, worked out off the GUI thread; and recipes from elsewhere
// fitted to what is open.
#pragma once

#include "config/import_recipe.h"
#include "config/recipe_file.h"
#include "config/validate.h"

#include <QString>
#include <QStringList>

namespace qw::ui {

struct CheckedRecipe {
    std::vector<config::Finding> findings; // every one, errors first
    std::string yaml;                      // as writeRecipeYaml has it
    int rows = 0, trained = 0;             // of the comparison; 0 while the recipe has errors
    int64_t knownSteps = 0;                // the most of its members; 0: by epochs
    int64_t dataBytes = 0;                 // size of the training text
    [[nodiscard]] bool good() const { return !config::hasErrors(findings); }
    [[nodiscard]] const config::Finding* firstError() const;
};
[[nodiscard]] CheckedRecipe checkRecipe(const records::Recipe& recipe);

// A file that is one of our recipes (no peer, no keys to report), or one of a peer.
[[nodiscard]] Result<config::ImportedRecipe> readAnyRecipe(const std::string& file);
// A preset names neither model nor text: those of the recipe in work stay.
[[nodiscard]] Result<records::Recipe> fromPreset(const std::string& name, const records::Recipe& current);
// A word of the shell: quoted where it needs it.
[[nodiscard]] QString shellWord(const QString& word);

} // namespace qw::ui
