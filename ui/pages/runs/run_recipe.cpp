// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/runs/run_recipe.h"

#include "client/project.h"
#include "config/recipe_file.h"
#include "wire/run_folder.h"

namespace qw::ui {
namespace {

QString quoted(const QString& path) {
    return QLatin1Char('\'') + QString(path).replace(QLatin1Char('\''), QStringLiteral("'\\''")) + QLatin1Char('\'');
}

} // namespace

Result<records::Recipe> recipeOfRun(const RunFacts& run) {
    QW_TRY(auto recipe, config::parseRecipe(run.info.config, run.info.dir / "config.resolved.json"));
    recipe.name = (recipe.name.empty() ? run.info.identity.name : recipe.name) + " copy";
    if (recipe.qat && recipe.schemes.empty()) {
        const std::string& scheme = run.info.identity.scheme;
        auto entry = config::makeScheme(scheme.empty() ? "scheme" : scheme, config::writeQatBlock(*recipe.qat));
        if (entry) {
            recipe.schemes.push_back(*std::move(entry));
            recipe.qat.reset();
        }
    }
    return recipe;
}

QString reproduceCommand(const RunFacts& run) {
    const QString config = text(wire::RunFolder{run.info.dir}.resolvedConfig().string());
    return QStringLiteral("qatw run %1 --project %2")
        .arg(quoted(config), quoted(text(run.info.identity.name) + QStringLiteral(" again.project")));
}

} // namespace qw::ui
