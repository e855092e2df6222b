// SPDX-License-Identifier: GPL-3.0-or-later
// What: edits of a scheme's block that concern several keys: per-layer include and exclude, and repairs of combinations that mean nothing.
// Limits: a scheme has one set of numbers for all its layers, so a layer is in or out; nothing in between is offered.
#pragma once

#include "checkpoint/module_plan.h"

#include <QStringList>
#include <set>
#include <string>
#include <vector>

namespace qw::ui {

// Puts these modules in, or leaves them out. A pattern that stands in the way is replaced by the names of the others that it matches.
void setIncluded(records::QatBlock& block, const std::vector<checkpoint::Matrix>& matrices, const std::set<std::string>& names, bool in);
// Left out by a rule of its own, or taken in although the defaults would not: what the tree shows in bold.
[[nodiscard]] bool isOverridden(const records::QatBlock& block, const checkpoint::Matrix& matrix);
[[nodiscard]] bool hasOverrides(const records::QatBlock& block);
void resetOverrides(records::QatBlock& block);
[[nodiscard]] QStringList overrideWords(const records::QatBlock& block); // "without *.k_proj", "with lm_head"

// The nearest block whose combination of keys means something: the later choice (of the key that was changed last) wins.
[[nodiscard]] records::QatBlock repaired(const records::QatBlock& block);

} // namespace qw::ui
