// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/scheme_entry.h"

#include "config/reader.h"
#include "config/recipe_file.h"

namespace qw::config {

using records::QatBlock;
using records::Recipe;
using records::SchemeEntry;

namespace {

Result<Node> entryNode(const std::string& name, const std::string& yaml) {
    QW_TRY(Node entry, parseYaml(yaml, std::make_shared<const Source>(Source{"scheme " + name, {}})));
    if (entry.kind != Node::Kind::Map)
        return Error{"config.invalid", "scheme " + name + ": must be a map of keys", "write for example preset: 8da4w", {}, false};
    return entry;
}

void flatten(const Node& map, const std::string& prefix, std::vector<std::string>& out) {
    for (const auto& [key, value] : map.entries)
        if (value.kind == Node::Kind::Map)
            flatten(value, prefix + key + ".", out);
        else
            out.push_back(prefix + key + "=" + (value.kind == Node::Kind::Scalar ? value.text : toJson(value, -1)));
}

bool ofTraining(const std::string& key) { return key == "name" || key == "train" || key == "optim" || key == "schedule"; }

} // namespace

SchemeReading readScheme(const Recipe& study, const SchemeEntry& entry) {
    SchemeReading reading;
    const auto node = entryNode(entry.name, entry.yaml);
    if (!node) {
        reading.problem = node.error().message;
        return reading;
    }
    Issues issues;
    std::string name;
    Recipe overrides;
    readScheme(*node, "", study, issues, name, reading.qat, overrides);
    if (!issues.empty()) {
        reading.key = issues.front().key;
        reading.problem = issues.front().what;
    }
    return reading;
}

Result<SchemeEntry> withQat(const Recipe& study, const SchemeEntry& entry, const QatBlock& block) {
    QW_TRY(const Node before, entryNode(entry.name, entry.yaml));
    const auto with = [&](const Node& qat) {
        Node out = qat;
        for (const auto& [key, value] : before.entries)
            if (ofTraining(key)) out.set(key, value);
        return makeScheme(entry.name, toJson(out, -1));
    };
    QW_TRY(SchemeEntry few, with(prunedQat(block)));
    if (readScheme(study, few).qat == block) return few;
    return with(toNode(block));
}

Result<SchemeEntry> withSets(const SchemeEntry& entry, const std::string& name, const std::vector<std::string>& sets) {
    QW_TRY(Node node, entryNode(entry.name, entry.yaml));
    for (const std::string& set : sets) {
        QW_TRY(auto parsed, parseSet(set));
        QW_CHECK(setPath(node, parsed.first, std::move(parsed.second)));
    }
    return makeScheme(name, toJson(node, -1));
}

std::vector<std::string> schemeSets(const SchemeEntry& entry) {
    std::vector<std::string> out;
    auto node = entryNode(entry.name, entry.yaml);
    if (!node) return out;
    for (const char* key : {"name", "preset", "train", "optim", "schedule"}) node->remove(key);
    flatten(*node, {}, out);
    return out;
}

std::string schemeYaml(const SchemeEntry& entry) {
    Node out = Node::map();
    out.set("name", Node::string(entry.name));
    if (const auto node = entryNode(entry.name, entry.yaml))
        for (const auto& [key, value] : node->entries) out.set(key, value);
    return toYaml(out);
}

Result<SchemeEntry> parseScheme(const std::string& yaml, const std::string& fallbackName) {
    QW_TRY(const Node node, entryNode(fallbackName, yaml));
    const Node* name = node.find("name");
    const std::string own = name && name->kind == Node::Kind::Scalar && !name->text.empty() ? name->text : fallbackName;
    QW_TRY(SchemeEntry entry, makeScheme(own, yaml));
    const SchemeReading reading = readScheme(Recipe{}, entry);
    if (!reading.problem.empty())
        return Error{"config.invalid",
                     "scheme " + own + ": " + (reading.key.empty() ? "" : reading.key + " ") + reading.problem,
                     "correct the file",
                     {},
                     false};
    return entry;
}

} // namespace qw::config
