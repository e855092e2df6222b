// SPDX-License-Identifier: GPL-3.0-or-later
// What: the choices of the scheme form as words, and how each is written into a block. No widgets.
// Limits: only what the engine supports is a choice.
#pragma once

#include "records/quant_block.h"

#include <QString>
#include <QVariant>
#include <functional>
#include <vector>

namespace qw::ui {

struct SchemeChoice {
    QString word, text, help; // word: the value that is kept
};
struct SchemeField {
    QString name; // objectName
    QString label, help;
    std::vector<SchemeChoice> choices;
    std::function<QString(const records::QatBlock&)> read;             // the present word
    std::function<void(records::QatBlock&, const QString&)> write;     //
    std::function<QString(const records::QatBlock&)> disabledReason{}; // empty: can be changed
};
// The fields with a list of choices, in the order of the form. Sections: weight, activation, layers, training.
enum class SchemeSection : uint8_t { Weight, Activation, Layers, Training };
[[nodiscard]] std::vector<SchemeField> schemeFields(SchemeSection section);

// Legal group sizes up to the widest layer, and `own` when it is another one; ascending.
[[nodiscard]] std::vector<int64_t> groupSizes(int64_t widest, int64_t own);

} // namespace qw::ui
