// SPDX-License-Identifier: GPL-3.0-or-later
// What: one scheme of a recipe, read for a form that also shows what is wrong, changed, and written as YAML.
// Limits: keys of the entry that are not of the qat block (train, optim, schedule) stay as they are.
#pragma once

#include "base/result.h"
#include "records/recipe.h"

#include <string>
#include <vector>

namespace qw::config {

struct SchemeReading {
    records::QatBlock qat;    // as far as the text can be understood
    std::string key, problem; // of the first thing that is wrong, e.g. "weight.dtype"; empty: nothing
};
[[nodiscard]] SchemeReading readScheme(const records::Recipe& study, const records::SchemeEntry& entry);
// The entry with another block, in the fewest keys that give it over the preset and the recipe's shared parts.
[[nodiscard]] Result<records::SchemeEntry> withQat(const records::Recipe& study, const records::SchemeEntry& entry,
                                                   const records::QatBlock& block);
// The entry under another name, with "key.path=value" on top: qat keys, or those of train, optim and schedule.
[[nodiscard]] Result<records::SchemeEntry> withSets(const records::SchemeEntry& entry, const std::string& name,
                                                    const std::vector<std::string>& sets);
// The qat keys of the entry besides its preset as --set wants them: "weight.group_size=64".
[[nodiscard]] std::vector<std::string> schemeSets(const records::SchemeEntry& entry);
// As a file of its own: the entry's map with its name, block style.
[[nodiscard]] std::string schemeYaml(const records::SchemeEntry& entry);
// The other way; config.invalid with the line when it is no scheme. A text without name gets `fallbackName`.
[[nodiscard]] Result<records::SchemeEntry> parseScheme(const std::string& yaml, const std::string& fallbackName);

} // namespace qw::config
