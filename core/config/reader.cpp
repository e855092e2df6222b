// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/reader.h"

#include "config/nearest.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace qw::config {

namespace {

std::string joined(Words words) {
    std::string all;
    for (const char* word : words) all += (all.empty() ? "" : ", ") + std::string(word);
    return all;
}

bool contains(Words words, const std::string& text) {
    return std::ranges::any_of(words, [&](const char* word) { return text == word; });
}

std::string shown(const Node& node) {
    switch (node.kind) {
    case Node::Kind::Null:
        return "null";
    case Node::Kind::List:
        return "a list";
    case Node::Kind::Map:
        return "a map";
    case Node::Kind::Scalar:
        break;
    }
    const std::string text = node.text.size() > 60 ? node.text.substr(0, 60) + "…" : node.text;
    return node.quoted ? "the text \"" + text + "\"" : "'" + text + "'";
}

template<class T> std::optional<T> number(const std::string& text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

class Reader final : public Fields {
public:
    Reader(const Node* map, std::string prefix, Issues& issues) : m_map(map), m_prefix(std::move(prefix)), m_issues(issues) {}

    bool writing() const override { return false; }
    bool given(const char* key) const override { return entry(key) != nullptr; }
    bool isNull(const char* key) const override {
        const Node* node = entry(key);
        return node && node->kind == Node::Kind::Null;
    }
    void problem(const char* key, const std::string& what) override {
        const Node* node = m_map ? m_map->find(key) : nullptr;
        if (!node) node = m_map;
        m_issues.push_back({node ? node->where() : std::string(), m_prefix + key, what, node ? node->line : 0, false});
    }

    void text(const char* key, std::string& value) override {
        if (const Node* node = scalar(key, "a text")) value = node->text;
    }
    void path(const char* key, std::string& value) override {
        const Node* node = scalar(key, "a path");
        if (!node) return;
        if (node->text.empty()) return value.clear();
        std::filesystem::path path = node->text;
        if (path.is_relative() && node->source && !node->source->folder.empty()) path = node->source->folder / path;
        value = path.lexically_normal().string();
    }
    void choice(const char* key, std::string& value, Words allowed, Words refused) override {
        if (const Node* node = scalar(key, ("one of " + joined(allowed)).c_str()); node && word(key, *node, allowed, refused))
            value = node->text;
    }
    void flag(const char* key, bool& value) override {
        std::optional<bool> read = value;
        if (!isNull(key)) flag(key, read);
        value = read.value_or(value);
    }
    void flag(const char* key, std::optional<bool>& value) override {
        if (isNull(key)) return value.reset();
        const Node* node = entry(key);
        if (!node) return;
        const std::string& t = node->text;
        const bool plain = node->kind == Node::Kind::Scalar && !node->quoted;
        if (plain && (t == "true" || t == "True" || t == "TRUE" || t == "on"))
            value = true;
        else if (plain && (t == "false" || t == "False" || t == "FALSE" || t == "off"))
            value = false;
        else
            mistyped(key, *node, "true or false");
    }
    void integer(const char* key, int64_t& value, int64_t least, int64_t most) override {
        const Node* node = entry(key);
        if (!node || node->kind == Node::Kind::Null) return;
        const auto read = whole(key, *node);
        if (!read) return;
        if (*read < least || *read > most) {
            const std::string range =
                most == kMaxInteger ? "at least " + std::to_string(least) : "from " + std::to_string(least) + " to " + std::to_string(most);
            problem(key, "must be " + range + ", not " + node->text);
            return;
        }
        value = *read;
    }
    void integer(const char* key, std::optional<int64_t>& value, int64_t least) override {
        if (isNull(key)) return value.reset();
        if (!given(key)) return;
        int64_t read = value.value_or(least);
        integer(key, read, least, kMaxInteger);
        value = read;
    }
    void autoInteger(const char* key, int64_t& value) override {
        if (const Node* node = entry(key); node && node->kind == Node::Kind::Scalar && node->text == "auto")
            value = 0;
        else
            integer(key, value, 0, kMaxInteger);
    }
    void real(const char* key, double& value, double least, double most) override {
        const Node* node = entry(key);
        if (!node || node->kind == Node::Kind::Null) return;
        if (const auto read = realOf(key, *node, most == 1.0); read && inRange(key, *node, *read, least, most)) value = *read;
    }
    void real(const char* key, std::optional<double>& value, double least, bool infinityToo) override {
        if (isNull(key)) return value.reset();
        const Node* node = entry(key);
        if (!node) return;
        if (infinityToo && node->kind == Node::Kind::Scalar && (node->text == "inf" || node->text == ".inf" || node->text == "infinity")) {
            value = std::numeric_limits<double>::infinity();
            return;
        }
        if (const auto read = realOf(key, *node, false); read && inRange(key, *node, *read, least, kNoLimit)) value = *read;
    }
    void pair(const char* key, std::array<double, 2>& value, double least, double most) override {
        const Node* node = entry(key);
        if (!node || node->kind == Node::Kind::Null) return;
        if (node->kind != Node::Kind::List || node->items.size() != 2) return mistyped(key, *node, "a list of two numbers");
        for (size_t i = 0; i < 2; ++i)
            if (const auto read = realOf(key, node->items[i], false); read && inRange(key, node->items[i], *read, least, most))
                value[i] = *read;
    }
    void texts(const char* key, std::vector<std::string>& value) override {
        const Node* node = items(key, "a list of texts");
        if (!node) return;
        value.clear();
        for (const Node& item : node->items) {
            if (item.kind == Node::Kind::Scalar)
                value.push_back(item.text);
            else
                at(key, item, "must be a text, not " + shown(item));
        }
    }
    void choices(const char* key, std::vector<std::string>& value, Words allowed, Words refused) override {
        const Node* node = items(key, "a list");
        if (!node) return;
        value.clear();
        for (const Node& item : node->items) {
            if (item.kind != Node::Kind::Scalar)
                at(key, item, "must be one of " + joined(allowed) + ", not " + shown(item));
            else if (std::ranges::find(value, item.text) != value.end())
                at(key, item, "'" + item.text + "' is there twice");
            else if (word(key, item, allowed, refused))
                value.push_back(item.text);
        }
    }
    void seeds(const char* key, std::vector<uint64_t>& value) override {
        const Node* node = entry(key);
        if (!node || node->kind == Node::Kind::Null) return;
        const std::vector<Node> one{*node};
        const auto& list = node->kind == Node::Kind::List ? node->items : one;
        if (list.empty() || list.size() > 1000) return problem(key, "needs one whole number, or a list of 1 to 1000");
        std::vector<uint64_t> read;
        for (const Node& item : list) {
            const auto seed = item.kind == Node::Kind::Scalar && !item.quoted ? number<uint64_t>(item.text) : std::nullopt;
            if (!seed) return mistyped(key, item, "a whole number from 0 to 18446744073709551615");
            if (std::ranges::find(read, *seed) != read.end()) return at(key, item, "seed " + item.text + " is there twice");
            read.push_back(*seed);
        }
        value = read;
    }
    void neutral(const char* key, Words allowed) override {
        const Node* node = entry(key);
        if (!node || node->kind == Node::Kind::Null) return;
        if (node->kind == Node::Kind::Scalar && contains(allowed, node->text)) return;
        const std::string only = joined(allowed);
        at(key, *node,
           only == "null" ? std::string("is not supported by this build; remove the key")
                          : shown(*node) + " is not supported by this build; only " + only + " is");
    }
    void null(const char* key) override { (void)entry(key); }
    void group(const char* key, const std::function<void(Fields&)>& body) override {
        const Node* node = entry(key);
        if (node && node->kind != Node::Kind::Map && node->kind != Node::Kind::Null) mistyped(key, *node, "a map of keys");
        if (!node || node->kind != Node::Kind::Map) return;
        readFields(*node, m_prefix + key + ".", m_issues, body);
    }
    void list(const char* key, size_t, const std::function<void(size_t)>& resize,
              const std::function<void(Fields&, size_t)>& item) override {
        const Node* node = items(key, "a list of maps");
        if (!node) return;
        resize(node->items.size());
        for (size_t i = 0; i < node->items.size(); ++i) {
            if (node->items[i].kind != Node::Kind::Map) {
                at(key, node->items[i], "must be a map of keys, not " + shown(node->items[i]));
                continue;
            }
            readFields(node->items[i], m_prefix + key + "[" + std::to_string(i) + "].", m_issues, [&](Fields& f) { item(f, i); });
        }
    }

    void finish() {
        if (!m_map) return;
        for (const auto& [key, node] : m_map->entries)
            if (std::ranges::find(m_known, key) == m_known.end())
                m_issues.push_back({node.where(), m_prefix + key, "unknown key" + didYouMean(key, m_known), node.line, true});
    }

private:
    const Node* m_map;
    std::string m_prefix;
    Issues& m_issues;
    mutable std::vector<std::string> m_known;

    const Node* entry(const char* key) const {
        if (std::ranges::find(m_known, key) == m_known.end()) m_known.emplace_back(key);
        return m_map ? m_map->find(key) : nullptr;
    }
    void at(const char* key, const Node& node, const std::string& what) {
        m_issues.push_back({node.where(), m_prefix + key, what, node.line, false});
    }
    void mistyped(const char* key, const Node& node, const std::string& wanted) {
        at(key, node, "must be " + wanted + ", not " + shown(node));
    }
    const Node* scalar(const char* key, const char* wanted) {
        const Node* node = entry(key);
        if (!node || node->kind == Node::Kind::Null) return nullptr;
        if (node->kind == Node::Kind::Scalar) return node;
        mistyped(key, *node, wanted);
        return nullptr;
    }
    const Node* items(const char* key, const char* wanted) {
        const Node* node = entry(key);
        if (!node || node->kind == Node::Kind::Null) return nullptr;
        if (node->kind == Node::Kind::List) return node;
        mistyped(key, *node, wanted);
        return nullptr;
    }
    bool word(const char* key, const Node& node, Words allowed, Words refused) {
        if (contains(allowed, node.text)) return true;
        if (contains(refused, node.text))
            at(key, node, "'" + node.text + "' is not supported by this build; use one of " + joined(allowed));
        else
            at(key, node,
               "must be one of " + joined(allowed) + ", not '" + node.text + "'" + didYouMean(node.text, {allowed.begin(), allowed.end()}));
        return false;
    }
    std::optional<int64_t> whole(const char* key, const Node& node) {
        if (node.kind == Node::Kind::Scalar && !node.quoted)
            if (const auto value = number<int64_t>(node.text)) return value;
        mistyped(key, node, "a whole number");
        return std::nullopt;
    }
    std::optional<double> realOf(const char* key, const Node& node, bool share) {
        if (node.kind == Node::Kind::Scalar && !node.quoted) {
            std::string text = node.text;
            const bool percent = share && text.ends_with('%');
            if (percent) text.resize(text.find_last_not_of(" %") + 1);
            if (const auto value = number<double>(text); value && std::isfinite(*value)) return percent ? *value / 100 : *value;
        }
        mistyped(key, node, "a number");
        return std::nullopt;
    }
    bool inRange(const char* key, const Node& node, double value, double least, double most) {
        if (value >= least && value <= most) return true;
        at(key, node,
           "must be " + (most == kNoLimit ? "at least " + shortest(least) : "from " + shortest(least) + " to " + shortest(most)) +
               ", not " + node.text);
        return false;
    }
};

} // namespace

Error issuesError(Issues issues) {
    std::ranges::stable_sort(issues, {}, &Issue::line);
    std::string all;
    for (size_t i = 0; i < issues.size() && i < 20; ++i) {
        const Issue& issue = issues[i];
        if (i) all += '\n';
        if (!issue.where.empty()) all.append(issue.where).append(": ");
        all.append(issue.key).append(": ").append(issue.what);
    }
    if (issues.size() > 20) all += "\n… and " + std::to_string(issues.size() - 20) + " more";
    const bool unknown = !issues.empty() && issues.front().unknownKey;
    return Error{unknown ? "config.unknown_key" : "config.invalid",
                 all,
                 "correct the recipe; qatw validate RECIPE checks it without running anything",
                 {},
                 false};
}

void readFields(const Node& map, const std::string& prefix, Issues& issues, const std::function<void(Fields&)>& body) {
    Reader reader(&map, prefix, issues);
    body(reader);
    reader.finish();
}

} // namespace qw::config
