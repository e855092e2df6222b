// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/recipe_file.h"

#include "base/files.h"
#include "config/nearest.h"
#include "config/presets.h"
#include "config/reader.h"
#include "config/resources.h"

#include <algorithm>

namespace fs = std::filesystem;

namespace qw::config {

using records::QatBlock;
using records::Recipe;
using records::SchemeEntry;

namespace {

// What belongs to a scheme when a recipe has several: one shared value is laid under every entry.
constexpr const char* kSchemeKeys[] = {"preset", "weight", "activation", "embedding"};

Error invalid(const std::string& message, const std::string& hint = "correct the recipe") {
    return Error{"config.invalid", message, hint, {}, false};
}

Status checkHeader(const Node& root, const std::string& name) {
    if (root.kind != Node::Kind::Map) return invalid(name + ":1: a recipe is a map of keys", "start it with the line recipe: 1");
    const auto& [key, value] = root.entries.empty() ? std::pair<std::string, Node>{} : root.entries.front();
    const std::string line = name + ":" + std::to_string(std::max(1, value.line));
    if (key != "recipe") return invalid(line + ": recipe: the first key must be the format version", "put the line recipe: 1 at the top");
    if (value.kind != Node::Kind::Scalar || value.quoted || value.text != "1")
        return invalid(line + ": recipe: this build reads version 1 of the format, not '" + value.text + "'", "write recipe: 1");
    return {};
}

// The preset's keys under the file's own; a preset may name another one.
Result<Node> withPreset(Node root, int depth) {
    const Node* preset = root.find("preset");
    if (!preset || preset->kind == Node::Kind::Null) return root;
    const std::string place = preset->where() + ": preset: ";
    if (preset->kind != Node::Kind::Scalar) return invalid(place + "must be the name of a preset");
    const std::string name = preset->text;
    const auto known = presetNames();
    if (std::ranges::find(known, name) == known.end()) {
        std::string all;
        for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
        return invalid(place + "there is no recipe preset '" + name + "'" + didYouMean(name, known), "choose one of " + all);
    }
    if (depth >= 4) return invalid(place + "presets are nested deeper than four levels");
    const fs::path file = presetFile(name);
    QW_TRY(const std::string text, readFile(file, uint64_t{1} << 20));
    QW_TRY(Node base, parseYaml(text, std::make_shared<const Source>(Source{file.string(), file.parent_path()})));
    QW_CHECK(checkHeader(base, file.string()));
    QW_TRY(Node whole, withPreset(std::move(base), depth + 1));
    merge(whole, root);
    return whole;
}

Status applyTo(Node& root, const std::vector<std::string>& sets) {
    for (const std::string& set : sets) {
        QW_TRY(auto parsed, parseSet(set));
        const auto& [path, value] = parsed;
        if (path == "recipe" || path == "preset") return invalid("--set " + set + ": this key is chosen in the file");
        QW_CHECK(setPath(root, path, value));
        Node* schemes = root.find("schemes");
        const std::string inner = path.starts_with("qat.") ? path.substr(4) : path;
        const bool overridable =
            inner.size() != path.size() || path.starts_with("train.") || path.starts_with("optim.") || path.starts_with("schedule.");
        if (!schemes || !overridable) continue;
        for (Node& entry : schemes->items)
            if (hasPath(entry, inner)) QW_CHECK(setPath(entry, inner, value));
    }
    return {};
}

void foldShared(Node& root) {
    Node* schemes = root.find("schemes");
    Node* qat = root.find("qat");
    if (!schemes || schemes->kind != Node::Kind::List || schemes->items.empty() || !qat || qat->kind != Node::Kind::Map) return;
    Node shared = Node::map();
    for (const char* key : kSchemeKeys) {
        if (const Node* value = qat->find(key)) shared.set(key, *value);
        qat->remove(key);
    }
    if (shared.entries.empty()) return;
    for (Node& entry : schemes->items) {
        if (entry.kind != Node::Kind::Map) continue;
        Node whole = shared;
        merge(whole, entry);
        entry = std::move(whole);
    }
}

// The entry's own map without its name, in one spelling.
std::string canonical(const Node& entry) {
    Node copy = entry;
    copy.remove("name");
    return toJson(copy, -1);
}

} // namespace

void readScheme(const Node& entry, const std::string& prefix, const Recipe& shared, Issues& issues, std::string& name, QatBlock& qat,
                Recipe& overrides) {
    qat = shared.qat.value_or(QatBlock{});
    overrides = shared;
    readFields(entry, prefix, issues, [&](Fields& f) {
        describeScheme(f, name, qat, overrides);
        if (!qat.weight && !qat.activation && !qat.embedding)
            f.problem("preset", "the scheme quantizes nothing: give a preset, or a weight block");
    });
}

namespace {

void readSchemes(const Node& root, Recipe& recipe, Issues& issues) {
    const Node* list = root.find("schemes");
    if (!list || list->kind == Node::Kind::Null) return;
    if (list->kind != Node::Kind::List) {
        issues.push_back({list->where(), "schemes", "must be a list of maps", list->line, false});
        return;
    }
    for (size_t i = 0; i < list->items.size(); ++i) {
        const Node& entry = list->items[i];
        const std::string key = "schemes[" + std::to_string(i) + "]";
        if (entry.kind != Node::Kind::Map) {
            issues.push_back({entry.where(), key, "must be a map of keys", entry.line, false});
            continue;
        }
        std::string name;
        QatBlock qat;
        Recipe overrides;
        readScheme(entry, key + ".", recipe, issues, name, qat, overrides);
        if (name.empty()) issues.push_back({entry.where(), key + ".name", "is missing: every scheme has a name", entry.line, false});
        recipe.schemes.push_back({name, canonical(entry)});
    }
}

Result<Recipe> decode(const Node& root) {
    Recipe recipe;
    Issues issues;
    readFields(root, "", issues, [&](Fields& f) {
        int64_t version = 1;
        f.integer("recipe", version, 1, 1);
        f.text("preset", recipe.preset);
        f.null("schemes");
        describe(f, recipe);
    });
    const bool device = recipe.device == "auto" || recipe.device == "cpu" || recipe.device == "cuda" ||
                        (recipe.device.starts_with("cuda:") && recipe.device.size() > 5 && recipe.device.size() < 9 &&
                         recipe.device.find_first_not_of("0123456789", 5) == std::string::npos);
    if (!device) {
        const Node* node = root.find("device");
        issues.push_back({node ? node->where() : "", "device", "must be auto, cpu, cuda or cuda:N, not '" + recipe.device + "'",
                          node ? node->line : 0, false});
    }
    readSchemes(root, recipe, issues);
    if (!issues.empty()) return issuesError(std::move(issues));
    return recipe;
}

void collectLines(const Node& node, const std::string& key, std::map<std::string, std::string>& lines) {
    if (!key.empty() && node.kind != Node::Kind::Null) lines[key] = node.where();
    for (const auto& [name, value] : node.entries) collectLines(value, key.empty() ? name : key + "." + name, lines);
    for (size_t i = 0; i < node.items.size(); ++i) collectLines(node.items[i], key + "[" + std::to_string(i) + "]", lines);
}

} // namespace

Node wholeNode(const Recipe& recipe) {
    Node root = toNode(recipe);
    Node list = Node::list();
    for (const SchemeEntry& scheme : recipe.schemes) {
        Node entry = Node::map();
        entry.set("name", Node::string(scheme.name));
        if (auto own = parseYaml(scheme.yaml, std::make_shared<const Source>(Source{"scheme " + scheme.name, {}})))
            for (auto& [key, value] : own->entries) entry.set(key, std::move(value));
        list.items.push_back(std::move(entry));
    }
    root.set("schemes", std::move(list));
    return root;
}

Result<RecipeFile> parseRecipeFile(std::string_view text, const fs::path& fileName, const std::vector<std::string>& sets) {
    RecipeFile file;
    file.text = text;
    const auto source = std::make_shared<const Source>(Source{fileName.string(), fs::absolute(fileName).parent_path()});
    QW_TRY(Node own, parseYaml(text, source));
    QW_CHECK(checkHeader(own, source->name));
    QW_TRY(Node root, withPreset(std::move(own), 0));
    QW_CHECK(applyTo(root, sets));
    collectLines(root, {}, file.lines);
    foldShared(root);
    QW_TRY(file.recipe, decode(root));
    return file;
}

Result<RecipeFile> loadRecipe(const fs::path& file, const std::vector<std::string>& sets) {
    QW_TRY(const std::string text, readFile(file, uint64_t{1} << 20));
    return parseRecipeFile(text, file, sets);
}

Result<Recipe> parseRecipe(std::string_view text, const fs::path& fileName) {
    QW_TRY(RecipeFile file, parseRecipeFile(text, fileName));
    return std::move(file.recipe);
}

std::string writeRecipe(const Recipe& recipe) { return toJson(wholeNode(recipe), 2) + "\n"; }

std::string writeQatBlock(const QatBlock& block) { return toJson(toNode(block), -1); }

Result<SchemeEntry> makeScheme(const std::string& name, const std::string& yaml) {
    QW_TRY(const Node entry, parseYaml(yaml, std::make_shared<const Source>(Source{"scheme " + name, {}})));
    if (entry.kind != Node::Kind::Map) return invalid("scheme " + name + ": must be a map of keys");
    return SchemeEntry{name, canonical(entry)};
}

Result<Recipe> resolveMember(const Recipe& study, const std::string& scheme, uint64_t seed) {
    Recipe member = study;
    if (!scheme.empty()) {
        const auto found = std::ranges::find(study.schemes, scheme, &SchemeEntry::name);
        if (found == study.schemes.end()) return invalid("the recipe has no scheme '" + scheme + "'");
        QW_TRY(const Node entry, parseYaml(found->yaml, std::make_shared<const Source>(Source{"scheme " + scheme, {}})));
        Issues issues;
        std::string name;
        QatBlock qat;
        readScheme(entry, "", study, issues, name, qat, member);
        if (!issues.empty()) return issuesError(std::move(issues));
        member.qat = std::move(qat);
    }
    member.schemes.clear();
    member.preset.clear();
    member.exports.clear();
    member.verdict = {};
    member.seeds = {seed};
    return member;
}

Status applySets(Recipe& recipe, const std::vector<std::string>& sets) {
    Node root = wholeNode(recipe);
    QW_CHECK(applyTo(root, sets));
    foldShared(root);
    QW_TRY(recipe, decode(root));
    return {};
}

Status applySets(QatBlock& block, const std::vector<std::string>& sets) {
    Node over = Node::map();
    for (const std::string& set : sets) {
        QW_TRY(auto parsed, parseSet(set));
        std::string path = parsed.first;
        if (path.starts_with("qat.")) path.erase(0, 4);
        over.source = parsed.second.source;
        QW_CHECK(setPath(over, path, std::move(parsed.second)));
    }
    QatBlock changed = block;
    Issues issues;
    readFields(over, "", issues, [&](Fields& f) { describe(f, changed); });
    if (!issues.empty()) return issuesError(std::move(issues));
    block = std::move(changed);
    return {};
}

Status applySet(QatBlock& block, const std::string& set) { return applySets(block, std::vector<std::string>{set}); }

} // namespace qw::config
