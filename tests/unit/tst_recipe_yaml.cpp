// SPDX-License-Identifier: GPL-3.0-or-later
// What: a recipe written as a person would write it reads back as the same recipe, whatever it says.
#include "config/presets.h"
#include "config/recipe_file.h"
#include "config/resources.h"
#include "random_recipe.h"
#include "test_data.h"

using namespace qw;
using namespace qw::records;

namespace {

QString q(const std::string& s) { return QString::fromStdString(s); }

QString firstDifference(const Recipe& a, const Recipe& b) {
    const QStringList x = q(config::writeRecipe(a)).split(QLatin1Char('\n')), y = q(config::writeRecipe(b)).split(QLatin1Char('\n'));
    for (qsizetype i = 0; i < std::min(x.size(), y.size()); ++i)
        if (x[i] != y[i]) return x[i] + QStringLiteral(" | ") + y[i];
    return {};
}

} // namespace

class RecipeYamlTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void anyRecipeReadsBack() {
        for (uint32_t seed = 0; seed < 400; ++seed) {
            const Recipe recipe = test::randomRecipe(seed);
            const std::string text = config::writeRecipeYaml(recipe);
            const auto again = config::parseRecipe(text, "/x/recipe.yaml");
            QVERIFY2(again.ok(), again ? "" : (again.error().message + "\n" + text).c_str());
            QVERIFY2(*again == recipe, qPrintable(QString::number(seed) + firstDifference(recipe, *again) + QLatin1Char('\n') + q(text)));
            QCOMPARE(q(config::writeRecipeYaml(*again)), q(text));
        }
    }
    void everySchemePresetReadsBack() {
        for (const auto& preset : config::schemePresets()) {
            Recipe recipe;
            recipe.qat = *config::schemePreset(preset.name);
            const std::string text = config::writeRecipeYaml(recipe);
            QVERIFY2(text.find("weight:") == std::string::npos, text.c_str()); // the preset's name says it all
            const auto again = config::parseRecipe(text, "/x/recipe.yaml");
            QVERIFY2(again.ok() && *again == recipe, text.c_str());
        }
    }
    void everyRecipePresetReadsBackWhenEdited() {
        for (const std::string& name : config::presetNames()) {
            auto recipe = config::parseRecipe("recipe: 1\npreset: " + name + "\n", "/x/recipe.yaml");
            QVERIFY2(recipe.ok(), name.c_str());
            const std::string asIs = config::writeRecipeYaml(*recipe);
            QCOMPARE(std::count(asIs.begin(), asIs.end(), '\n'), 3); // recipe, preset, and the learning rate that always stands there
            recipe->name = "mine";
            recipe->model.path = "/models/mine";
            recipe->train.maxSteps += 7;
            recipe->optim.clipNorm = 0.5;
            recipe->eval.tasks.clear();
            recipe->schemes = {*config::makeScheme("mine", "{preset: 8da4w, weight: {group_size: 64}}")};
            recipe->qat.reset();
            const std::string text = config::writeRecipeYaml(*recipe);
            const auto again = config::parseRecipe(text, "/x/recipe.yaml");
            QVERIFY2(again.ok(), again ? "" : (again.error().message + text).c_str());
            QVERIFY2(*again == *recipe, qPrintable(firstDifference(*recipe, *again) + q(text)));
        }
    }
    void spelling() {
        auto recipe = config::parseRecipe(
            "recipe: 1\nname: which-scheme\nmodel: {path: /m/tiny}\ndevice: cpu\ndata:\n  train: [{path: /d/train.jsonl}]\n  seq_len: 256\n"
            "train: {max_steps: 200, micro_batch: 8}\noptim: {lr: 1e-3}\nprecision: {mode: fp32}\n"
            "schemes:\n  - {name: w4, preset: 8da4w, weight: {group_size: 32}}\n  - {name: w3, preset: intx_weight_only, weight: {dtype: "
            "int3}}\n"
            "eval:\n  every: 50\n  tasks:\n    - {name: hellaswag, path: /d/h.jsonl}\n    - {name: 'no: 1', path: /d/w.raw, mode: "
            "wikitext}\n"
            "verdict: {metric: hellaswag.acc_norm}\n",
            "/x/r.yaml");
        QVERIFY2(recipe.ok(), recipe ? "" : recipe.error().message.c_str());
        const QString wanted =
            QStringLiteral("recipe: 1\nname: which-scheme\nmodel: {path: /m/tiny}\ndevice: cpu\ndata:\n  train:\n"
                           "    - {path: /d/train.jsonl}\n  seq_len: 256\ntrain: {max_steps: 200, micro_batch: 8}\noptim: {lr: 0.001}\n"
                           "precision: {mode: fp32}\nschemes:\n  - {name: w4, preset: 8da4w, weight: {group_size: 32}}\n"
                           "  - {name: w3, preset: intx_weight_only, weight: {dtype: int3}}\neval:\n  every: 50\n  tasks:\n"
                           "    - {name: hellaswag, path: /d/h.jsonl}\n    - {name: \"no: 1\", path: /d/w.raw, mode: wikitext}\n"
                           "verdict: {metric: hellaswag.acc_norm}\n");
        QCOMPARE(q(config::writeRecipeYaml(*recipe)).split(QLatin1Char('\n')), wanted.split(QLatin1Char('\n')));
        recipe->optim.lr = 1e-5;
        QVERIFY(config::writeRecipeYaml(*recipe).find("lr: 1.0e-5}") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(RecipeYamlTest)
#include "tst_recipe_yaml.moc"
