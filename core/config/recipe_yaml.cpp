// SPDX-License-Identifier: GPL-3.0-or-later
// What: a recipe as the YAML that a person would write: defaults left out, short maps on one line.
#include "config/presets.h"
#include "config/reader.h"
#include "config/recipe_file.h"

#include <algorithm>
#include <cctype>

namespace qw::config {

using records::Recipe;

namespace {

constexpr size_t kWidth = 110; // columns of a line before a map is broken up

bool same(const Node& a, const Node& b) { return toJson(a, -1) == toJson(b, -1); }

// What is left of node over base. A key that only base has is taken away by null.
Node difference(const Node& node, const Node& base) {
    Node out = Node::map();
    for (const auto& [key, value] : node.entries) {
        const Node* old = base.find(key);
        if (!old)
            out.set(key, value);
        else if (value.kind == Node::Kind::Map && old->kind == Node::Kind::Map) {
            if (Node inner = difference(value, *old); !inner.entries.empty()) out.set(key, std::move(inner));
        } else if (!same(value, *old))
            out.set(key, value);
    }
    for (const auto& [key, value] : base.entries)
        if (!node.find(key)) out.set(key, Node{});
    return out;
}

// Items of a list start from the defaults of their kind; `keep` stands in every item.
void pruneItems(Node* list, const Node& fallback, const std::string& keep) {
    if (!list) return;
    for (Node& item : list->items) {
        Node left = difference(item, fallback);
        if (const Node* kept = item.find(keep); kept && !left.find(keep)) left.entries.insert(left.entries.begin(), {keep, *kept});
        item = std::move(left);
    }
}

Node* inside(Node& root, const char* map, const char* key) {
    Node* outer = root.find(map);
    return outer ? outer->find(key) : nullptr;
}

// The first item that these defaults give to a list of a recipe.
Node itemDefaults(const char* map, const char* key) {
    Recipe one;
    one.data.train.emplace_back();
    one.eval.tasks.emplace_back();
    Node root = toNode(one);
    return inside(root, map, key)->items.front();
}

void pruneTasks(Node* tasks) {
    pruneItems(tasks, itemDefaults("eval", "tasks"), "name");
    if (!tasks) return;
    for (Node& task : tasks->items) {
        const Node* name = task.find("name");
        const Node* mode = task.find("mode");
        if (name && mode && name->text == mode->text) task.remove("mode"); // the two known names mean their own mode
    }
}

// A block over the preset that it starts from; another format starts from nothing.
void pruneBlock(Node& qat, const Node& preset, const char* key) {
    const Node* base = preset.find(key);
    Node* block = qat.find(key);
    if (!base || !block) return;
    if (same(*block, *base)) {
        qat.remove(key);
        return;
    }
    const Node *format = block->find("format"), *old = base->find("format");
    if (!format || !old || !same(*format, *old)) return;
    Node left = difference(*block, *base);
    if (!block->find("group_size")) left.remove("group_size"); // the other granularity says it
    if (left.find("group_size")) left.remove("granularity");   // and here the size
    *block = std::move(left);
}

} // namespace

Node prunedQat(const records::QatBlock& block) {
    Node qat = toNode(block);
    if (!block.preset.empty())
        if (const auto preset = schemePreset(block.preset)) {
            const Node base = toNode(*preset);
            for (const char* key : {"weight", "activation", "embedding"}) pruneBlock(qat, base, key);
        }
    return difference(qat, toNode(records::QatBlock{}));
}

namespace {

Node pruned(const Recipe& recipe) {
    Recipe start;
    if (!recipe.preset.empty())
        if (auto preset = parseRecipe("recipe: 1\npreset: " + toJson(Node::string(recipe.preset), -1) + "\n", "recipe.yaml"))
            start = *std::move(preset);
    start.preset.clear();
    const Node whole = wholeNode(recipe);
    Node root = difference(whole, wholeNode(start));
    if (recipe.qat && !start.qat) root.set("qat", prunedQat(*recipe.qat)); // an empty map still says that there is a qat block
    pruneItems(inside(root, "data", "train"), itemDefaults("data", "train"), "path");
    pruneItems(inside(root, "data", "eval"), itemDefaults("data", "train"), "path");
    pruneTasks(inside(root, "eval", "tasks"));
    // A recipe without a learning rate is refused, because none fits every model.
    Node lr = Node::map();
    lr.set("lr", *whole.find("optim")->find("lr"));
    if (Node* optim = root.find("optim")) {
        if (!optim->find("lr")) optim->entries.insert(optim->entries.begin(), {"lr", *lr.find("lr")});
    } else
        root.set("optim", std::move(lr));
    return root;
}

// recipe.md 1 names the keys in this order.
Node ordered(Node root) {
    static constexpr const char* kOrder[] = {"recipe",   "name", "preset",  "model",    "device",   "seed",       "deterministic",
                                             "threads",  "data", "train",   "optim",    "schedule", "precision",  "memory",
                                             "loss",     "qat",  "schemes", "baseline", "eval",     "checkpoint", "early_stop",
                                             "watchdog", "log",  "oom",     "kernels",  "verdict",  "export"};
    Node out = Node::map();
    out.set("recipe", Node::plain("1"));
    for (const char* key : kOrder)
        if (const Node* value = root.find(key)) out.set(key, *value);
    return out;
}

bool plainWord(const std::string& text) {
    if (text.empty() || text.back() == ' ' || text.back() == ':') return false;
    const auto first = static_cast<unsigned char>(text.front());
    // A word such as 8da4w: a letter that no number, date or hexadecimal has.
    const bool digits = std::isdigit(first) && text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz_") == std::string::npos &&
                        text.find_first_of("ghijklmnpqrsuvw") != std::string::npos;
    if (!digits && (first >= 0x80 || (!std::isalpha(first) && first != '/' && first != '_'))) return false;
    const auto fits = [](unsigned char c) {
        return c >= 0x80 || std::isalnum(c) || std::string_view("_-./+ :=%~").find(char(c)) != std::string_view::npos;
    };
    if (!std::ranges::all_of(text, [&](char c) { return fits(static_cast<unsigned char>(c)); })) return false;
    if (text.find(": ") != std::string::npos) return false;
    std::string lower = text;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    static constexpr const char* kSpecial[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    return std::ranges::none_of(kSpecial, [&](const char* word) { return lower == word; });
}

// 1e-05 as 1.0e-5: YAML 1.1 readers take the first for a text.
std::string numberText(std::string text) {
    const size_t e = text.find('e');
    if (e == std::string::npos) return text;
    std::string mantissa = text.substr(0, e), exponent = text.substr(e + 1);
    if (mantissa.find('.') == std::string::npos) mantissa += ".0";
    const bool negative = exponent.starts_with('-');
    exponent.erase(0, exponent.find_first_not_of("+-0"));
    return mantissa + "e" + (negative ? "-" : "+") + exponent;
}

std::string scalarText(const Node& node) {
    if (node.kind == Node::Kind::Null) return "null";
    const std::string json = toJson(node, -1);
    if (json.front() != '"') return std::isdigit(static_cast<unsigned char>(json.back())) ? numberText(json) : json;
    return plainWord(node.text) ? node.text : json;
}

std::string flow(const Node& node) {
    if (node.kind == Node::Kind::List) {
        std::string out = "[";
        for (const Node& item : node.items) out += (out.size() > 1 ? ", " : "") + flow(item);
        return out + "]";
    }
    if (node.kind != Node::Kind::Map) return scalarText(node);
    std::string out = "{";
    for (const auto& [key, value] : node.entries) out += (out.size() > 1 ? ", " : "") + key + ": " + flow(value);
    return out + "}";
}

bool holdsMaps(const Node& node) {
    return std::ranges::any_of(node.items, [](const Node& item) { return item.kind == Node::Kind::Map; }) ||
           std::ranges::any_of(node.entries, [](const auto& entry) { return holdsMaps(entry.second); });
}

void block(std::string& out, const Node& map, size_t indent, bool firstHere);

// `lead` is what already stands on the line.
void value(std::string& out, const Node& node, size_t indent, size_t lead) {
    const std::string line = flow(node);
    const bool nested = node.kind == Node::Kind::Map || holdsMaps(node);
    if (!nested || node.entries.size() + node.items.size() == 0 || (!holdsMaps(node) && lead + line.size() < kWidth)) {
        out += " " + line + "\n";
    } else if (node.kind == Node::Kind::Map) {
        out += '\n';
        block(out, node, indent + 2, false);
    } else {
        out += '\n';
        for (const Node& item : node.items) {
            out.append(indent + 2, ' ') += "- ";
            const std::string one = flow(item);
            if (item.kind != Node::Kind::Map || item.entries.empty() || (!holdsMaps(item) && indent + 4 + one.size() < kWidth))
                out += one + "\n";
            else
                block(out, item, indent + 4, true);
        }
    }
}

void block(std::string& out, const Node& map, size_t indent, bool firstHere) {
    for (const auto& [key, inner] : map.entries) {
        if (!firstHere) out.append(indent, ' ');
        firstHere = false;
        out += key + ":";
        value(out, inner, indent, indent + key.size() + 2);
    }
}

} // namespace

std::string toYaml(const Node& map) {
    std::string out;
    block(out, map, 0, false);
    return out;
}

std::string writeRecipeYaml(const Recipe& recipe) { return toYaml(ordered(pruned(recipe))); }

} // namespace qw::config
