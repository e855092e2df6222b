// SPDX-License-Identifier: GPL-3.0-or-later
// What: the language of the filter box of Runs: "state:done bits<5 tag:paper words"; every term must hold.
// Limits: a term that makes no sense is kept with its place and why, and filters nothing.
#pragma once

#include "models/run_row.h"

#include <QString>
#include <vector>

namespace qw::ui {

struct FilterTerm {
    qsizetype start = 0, length = 0; // in the text
    QString key;                     // empty: a plain word
    QString value;                   // lower case
    QString error;                   // why it is wrong; empty: good
    enum class Op : uint8_t { Has, Equal, Less, LessEqual, Greater, GreaterEqual, NotEqual } op = Op::Has;
    bool negated = false; // "-tag:old"
    double number = 0;    // of comparisons
    int field = -1;       // which number or word of a row it looks at; found once
};

class RunFilter {
public:
    RunFilter() = default;
    explicit RunFilter(const QString& text);
    [[nodiscard]] const std::vector<FilterTerm>& terms() const { return m_terms; }
    [[nodiscard]] bool isEmpty() const { return m_terms.empty(); }
    [[nodiscard]] bool matches(const RunRow& row) const;
    [[nodiscard]] QString firstError() const;
    [[nodiscard]] static QString help(); // the keys, for a tooltip

private:
    std::vector<FilterTerm> m_terms;
};

} // namespace qw::ui
