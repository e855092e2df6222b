// SPDX-License-Identifier: GPL-3.0-or-later
// What: the fields of the Train form, each declared once: name, key of the recipe, label, help, how it is read, written and shown.
// Why here: the form, the marks of changed fields, their reset, and the findings under them all walk this table.
#pragma once

#include "records/recipe.h"

#include <QString>
#include <QStringList>
#include <QVariant>
#include <functional>
#include <vector>

namespace qw::ui {

enum class FieldKind : uint8_t { Integer, Real, Choice, Flag, Text };

struct FieldWord { // a value that is shown as a word
    QVariant value;
    QString text;
};

struct RecipeField {
    QString name;    // objectName of its editor
    QString section; // of sectionTitles()
    QString key;     // "optim.lr", as findings name it
    QString label, help;
    FieldKind kind = FieldKind::Text;
    std::function<QVariant(const records::Recipe&)> get;
    std::function<void(records::Recipe&, const QVariant&)> set;
    std::vector<FieldWord> words; // of a choice: all; of a number: its special values
    double least = 0, most = 0;
    QString unit, unitOfOne; // after a whole number

    void units(const QString& many, const QString& one) {
        unit = many;
        unitOfOne = one;
    }
};

[[nodiscard]] const std::vector<RecipeField>& recipeFields();
[[nodiscard]] const RecipeField* findField(const QString& name);
[[nodiscard]] QStringList sectionTitles(); // in the order of the form
// What a new recipe says; the mark "changed" and Reset mean this.
[[nodiscard]] QVariant defaultOf(const RecipeField& field);
[[nodiscard]] bool isChanged(const RecipeField& field, const records::Recipe& recipe);
// Why the field has no say in this recipe; empty when it has.
[[nodiscard]] QString whyWithoutEffect(const RecipeField& field, const records::Recipe& recipe);
// Metrics that the recipe's tasks yield, for the verdict; the first is empty: automatic.
[[nodiscard]] QStringList verdictMetrics(const records::Recipe& recipe);

} // namespace qw::ui
