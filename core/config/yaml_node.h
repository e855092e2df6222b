// SPDX-License-Identifier: GPL-3.0-or-later
// What: a YAML document as a plain tree that remembers where every value was written; merging, key paths, and writing as JSON (which is
// YAML). Limits: 1 MiB, depth 32, 50 000 nodes; no anchors, aliases, merge keys, tags, tabs as indentation, duplicate keys.
#pragma once

#include "base/result.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qw::config {

struct Source {
    std::string name;             // shown in messages
    std::filesystem::path folder; // relative paths start here; empty: left as they are
};

struct Node {
    enum class Kind : uint8_t { Null, Scalar, List, Map };
    Kind kind = Kind::Null;
    std::string text;    // scalar
    bool quoted = false; // a quoted scalar is text, whatever it looks like
    std::vector<Node> items;
    std::vector<std::pair<std::string, Node>> entries;
    int line = 0; // of the key, where there is one; 0: unknown
    std::shared_ptr<const Source> source;

    [[nodiscard]] const Node* find(std::string_view key) const;
    Node* find(std::string_view key);
    void set(const std::string& key, Node value); // keeps the place of an existing key
    bool remove(std::string_view key);
    [[nodiscard]] std::string where() const; // "file:line", "file" or empty

    [[nodiscard]] static Node plain(std::string text);
    [[nodiscard]] static Node string(std::string text);
    [[nodiscard]] static Node map() {
        Node n;
        n.kind = Kind::Map;
        return n;
    }
    [[nodiscard]] static Node list() {
        Node n;
        n.kind = Kind::List;
        return n;
    }
};

[[nodiscard]] Result<Node> parseYaml(std::string_view text, const std::shared_ptr<const Source>& source);
// Maps merge key by key, everything else (lists, null too) is replaced by over.
void merge(Node& base, const Node& over);
// Sets the value behind "a.b.c"; a list item is named by its position or by its `name`. Missing maps are made.
[[nodiscard]] Status setPath(Node& root, const std::string& path, Node value);
[[nodiscard]] bool hasPath(const Node& root, const std::string& path);
// "key.path=value" in two; the value is YAML.
[[nodiscard]] Result<std::pair<std::string, Node>> parseSet(const std::string& set);
// indent < 0: one line. Numbers, booleans and null stay bare, everything else is quoted.
[[nodiscard]] std::string toJson(const Node& node, int indent);

} // namespace qw::config
