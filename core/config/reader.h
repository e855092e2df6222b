// SPDX-License-Identifier: GPL-3.0-or-later
// What: fills structs from a YAML tree by the descriptions of fields.h and collects every problem with its place.
#pragma once

#include "config/fields.h"
#include "config/yaml_node.h"

namespace qw::config {

struct Issue {
    std::string where; // "file:line"
    std::string key;
    std::string what;
    int line = 0;
    bool unknownKey = false;
};
using Issues = std::vector<Issue>;

// All issues in one error, in the order of their lines, at most 20.
[[nodiscard]] Error issuesError(Issues issues);
// Reads one map; prefix is put before its keys in messages ("optim."). Unknown keys become issues.
void readFields(const Node& map, const std::string& prefix, Issues& issues, const std::function<void(Fields&)>& body);

[[nodiscard]] std::string shortest(double value); // shortest text that reads back as the same number
[[nodiscard]] Node toNode(const records::Recipe& recipe);
[[nodiscard]] Node toNode(const records::QatBlock& block);
[[nodiscard]] Node wholeNode(const records::Recipe& recipe);  // toNode with its schemes
[[nodiscard]] Node prunedQat(const records::QatBlock& block); // toNode without what its preset and the defaults say
[[nodiscard]] std::string toYaml(const Node& map);            // block style, short maps on one line

// A scheme's entry over the shared parts of its recipe; qat and overrides are filled as far as the text can be understood.
void readScheme(const Node& entry, const std::string& prefix, const records::Recipe& shared, Issues& issues, std::string& name,
                records::QatBlock& qat, records::Recipe& overrides);

} // namespace qw::config
