// SPDX-License-Identifier: GPL-3.0-or-later
// What: layers of a recipe laid over each other, key paths, and the tree as JSON text.
#include "config/yaml_node.h"

#include <algorithm>
#include <sstream>

namespace qw::config {

namespace {

bool isJsonNumber(const std::string& text) {
    size_t i = 0;
    const auto digits = [&] {
        const size_t from = i;
        while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
        return i - from;
    };
    if (i < text.size() && text[i] == '-') ++i;
    const size_t start = i;
    const size_t whole = digits();
    if (whole == 0 || (whole > 1 && text[start] == '0')) return false;
    if (i < text.size() && text[i] == '.') {
        ++i;
        if (digits() == 0) return false;
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
        if (digits() == 0) return false;
    }
    return i == text.size();
}

void appendQuoted(std::string& out, const std::string& text) {
    static constexpr char kHex[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            (out += '\\') += c;
        else if (c == '\n')
            out += "\\n";
        else if (c == '\t')
            out += "\\t";
        else if (c == '\r')
            out += "\\r";
        else if (byte < 0x20 || byte == 0x7f)
            ((out += "\\u00") += kHex[byte >> 4]) += kHex[byte & 15];
        else
            out += c;
    }
    out += '"';
}

void append(std::string& out, const Node& node, int indent, int level) {
    const auto newLine = [&](int depth) {
        if (indent < 0) return;
        out += '\n';
        out.append(static_cast<size_t>(indent * depth), ' ');
    };
    const bool list = node.kind == Node::Kind::List;
    if (node.kind == Node::Kind::Null) {
        out += "null";
    } else if (node.kind == Node::Kind::Scalar) {
        if (!node.quoted && (isJsonNumber(node.text) || node.text == "true" || node.text == "false"))
            out += node.text;
        else
            appendQuoted(out, node.text);
    } else {
        const size_t count = list ? node.items.size() : node.entries.size();
        out += list ? '[' : '{';
        for (size_t i = 0; i < count; ++i) {
            if (i) out += indent < 0 ? ", " : ",";
            newLine(level + 1);
            if (!list) {
                appendQuoted(out, node.entries[i].first);
                out += ": ";
            }
            append(out, list ? node.items[i] : node.entries[i].second, indent, level + 1);
        }
        if (count) newLine(level);
        out += list ? ']' : '}';
    }
}

} // namespace

namespace {

// group_size and granularity say the same thing in two ways: the later layer's word replaces the earlier one's.
void dropAlternatives(Node& base, const Node& over) {
    const auto replaces = [&](const char* said, const char* other) {
        if (over.find(said) && !over.find(other)) base.remove(other);
    };
    replaces("group_size", "granularity");
    replaces("granularity", "group_size");
}

} // namespace

void merge(Node& base, const Node& over) {
    if (base.kind != Node::Kind::Map || over.kind != Node::Kind::Map) {
        base = over;
        return;
    }
    base.line = over.line;
    base.source = over.source;
    dropAlternatives(base, over);
    for (const auto& [key, value] : over.entries) {
        if (Node* old = base.find(key))
            merge(*old, value);
        else
            base.entries.emplace_back(key, value);
    }
}

namespace {

std::vector<std::string> split(const std::string& path) {
    std::vector<std::string> parts;
    std::istringstream in(path);
    for (std::string part; std::getline(in, part, '.');) parts.push_back(part);
    return parts;
}

Node* itemOf(Node& list, const std::string& word) {
    for (Node& item : list.items)
        if (const Node* name = item.find("name"); name && name->text == word) return &item;
    if (word.empty() || word.size() > 6 || !std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; })) return nullptr;
    const size_t at = std::stoul(word);
    return at < list.items.size() ? &list.items[at] : nullptr;
}

} // namespace

Status setPath(Node& root, const std::string& path, Node value) {
    Node* at = &root;
    const auto parts = split(path);
    for (size_t i = 0; i < parts.size(); ++i) {
        if (at->kind == Node::Kind::List) {
            Node* item = itemOf(*at, parts[i]);
            if (!item)
                return Error{"config.invalid",
                             value.where() + ": " + path + ": the list has no item '" + parts[i] + "'",
                             "use its name, or its position from 0",
                             {},
                             false};
            at = item;
            continue;
        }
        Node* next = at->find(parts[i]);
        if (i + 1 < parts.size() && next && (next->kind == Node::Kind::List || next->kind == Node::Kind::Map)) {
            at = next;
            continue;
        }
        // The rest of the path is laid over what is there, by the rule for every other layer.
        Node over = std::move(value);
        for (size_t k = parts.size(); k > i; --k) {
            Node outer = Node::map();
            outer.source = over.source;
            outer.set(parts[k - 1], std::move(over));
            over = std::move(outer);
        }
        merge(*at, over);
        return {};
    }
    *at = std::move(value);
    return {};
}

bool hasPath(const Node& root, const std::string& path) {
    const Node* at = &root;
    for (const std::string& part : split(path)) {
        at = at->kind == Node::Kind::Map ? at->find(part) : nullptr;
        if (!at) return false;
    }
    return true;
}

Result<std::pair<std::string, Node>> parseSet(const std::string& set) {
    const size_t equals = set.find('=');
    const std::string key = set.substr(0, equals);
    if (equals == std::string::npos || key.empty() || key.front() == '.' || key.back() == '.' || key.find("..") != std::string::npos)
        return Error{
            "config.invalid", "--set " + set + ": this is not key.path=value", "write for example --set train.max_steps=20", {}, false};
    auto source = std::make_shared<const Source>(Source{"--set", std::filesystem::current_path()});
    const std::string text = set.substr(equals + 1);
    Node value;
    if (text.find_first_not_of(' ') != std::string::npos) {
        // A value is one line; a trailing line end keeps yaml-cpp from joining it with what follows.
        auto parsed = parseYaml(text + "\n", source);
        if (!parsed) return std::move(parsed.error()).at(key);
        value = std::move(*parsed);
    }
    struct Unline {
        static void apply(Node& node) {
            node.line = 0;
            for (Node& item : node.items) apply(item);
            for (auto& entry : node.entries) apply(entry.second);
        }
    };
    Unline::apply(value);
    value.source = source;
    return std::pair{key, std::move(value)};
}

std::string toJson(const Node& node, int indent) {
    std::string out;
    append(out, node, indent, 0);
    return out;
}

} // namespace qw::config
