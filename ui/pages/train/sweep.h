// SPDX-License-Identifier: GPL-3.0-or-later
// What: a recipe whose schemes are varied: bits, group sizes, learning rates and seeds in every combination; and what that costs.
#pragma once

#include "pages/train/forecast.h"

#include "base/result.h"
#include "records/recipe.h"

#include <QString>
#include <vector>

namespace qw::ui {

struct Sweep {
    std::vector<int64_t> bits, groupSizes; // empty: as the scheme has it
    std::vector<double> rates;
    std::vector<uint64_t> seeds; // empty: the recipe's
};

// "2, 3" or "2-4" as whole numbers; config.invalid naming the part that is none. Twice the same counts once.
[[nodiscard]] Result<std::vector<int64_t>> wholeNumbers(const QString& text, int64_t least, int64_t most);
[[nodiscard]] Result<std::vector<double>> learningRates(const QString& text);

// Every scheme of the recipe in every combination; config.invalid when there is none, or a name cannot be told from another.
[[nodiscard]] Result<records::Recipe> sweptRecipe(const records::Recipe& recipe, const Sweep& sweep);

struct SweepCost {
    int rows = 0, trained = 0;
    std::optional<double> seconds; // training; nothing without a measured forecast
    double diskBytes = 0;          // checkpoints and models; 0 without a forecast
};
// From the forecast of the recipe before the sweep: every trained run like its mean, respectively its largest.
[[nodiscard]] Result<SweepCost> costOf(const records::Recipe& swept, const std::optional<Forecast>& before);

} // namespace qw::ui
