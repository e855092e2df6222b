// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/recipe_check.h"

#include "base/files.h"
#include "study/check.h"
#include "study/members.h"

#include <algorithm>

namespace qw::ui {

using records::Recipe;

const config::Finding* CheckedRecipe::firstError() const {
    const auto at = std::ranges::find_if(findings, &config::Finding::isError);
    return at == findings.end() ? nullptr : &*at;
}

CheckedRecipe checkRecipe(const Recipe& recipe) {
    CheckedRecipe out;
    out.yaml = config::writeRecipeYaml(recipe);
    // With every key written out a default that does harm is found too, e.g. a cadence that never fires.
    const auto file = config::parseRecipeFile(config::writeRecipe(recipe), "recipe.yaml");
    if (!file) {
        out.findings.push_back({true, {}, {}, file.error().message, file.error().hint});
        return out;
    }
    out.findings = study::checkRecipe(*file);
    std::error_code failed;
    for (const auto& source : recipe.data.train)
        if (const auto size = std::filesystem::file_size(source.path, failed); !failed) out.dataBytes += static_cast<int64_t>(size);
    if (!out.good()) return out;
    const auto members = study::expand(recipe);
    if (!members) return out;
    out.rows = static_cast<int>(members->size());
    for (const auto& member : *members) {
        const bool trains = member.run.role == records::RowRole::FloatTrained || member.run.role == records::RowRole::Qat;
        out.trained += trains;
        if (trains) out.knownSteps = std::max(out.knownSteps, config::knownSteps(member.recipe).value_or(0));
    }
    return out;
}

Result<config::ImportedRecipe> readAnyRecipe(const std::string& file) {
    QW_TRY(const std::string text, readFile(file, uint64_t{1} << 20));
    if (!config::looksLikeOurs(text)) return config::importRecipe(text, file);
    QW_TRY(auto ours, config::parseRecipeFile(text, file));
    return config::ImportedRecipe{{}, std::move(ours.recipe), {}};
}

Result<Recipe> fromPreset(const std::string& name, const Recipe& current) {
    QW_TRY(Recipe recipe, config::parseRecipe("recipe: 1\npreset: " + name + "\n", "recipe.yaml"));
    if (recipe.model.path.empty() && recipe.model.config.empty()) recipe.model = current.model;
    const auto unnamed = [](const auto& list) { return std::ranges::all_of(list, [](const auto& one) { return one.path.empty(); }); };
    if (unnamed(recipe.data.train)) recipe.data.train = current.data.train;
    if (unnamed(recipe.data.eval)) recipe.data.eval = current.data.eval;
    for (auto& task : recipe.eval.tasks) {
        const auto same = std::ranges::find(current.eval.tasks, task.name, &records::EvalTask::name);
        if (task.path.empty() && same != current.eval.tasks.end()) task.path = same->path;
    }
    return recipe;
}

QString shellWord(const QString& word) {
    static constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:=@%,";
    const bool plain = !word.isEmpty() && std::ranges::all_of(word, [](QChar c) { return QLatin1String(kPlain).contains(c); });
    if (plain) return word;
    QString inner = word;
    inner.replace(QLatin1Char('\''), QStringLiteral("'\\''"));
    return QLatin1Char('\'') + inner + QLatin1Char('\'');
}

} // namespace qw::ui
