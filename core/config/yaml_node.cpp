// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/yaml_node.h"

#include "base/utf8.h"

#include <algorithm>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>

namespace qw::config {

namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr size_t kMaxDepth = 32;
constexpr size_t kMaxNodes = 50000;

struct Refused {
    int line;
    std::string what;
};

bool isNullText(const std::string& text) { return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL"; }

// Builds the tree from parser events, because only events show anchors, aliases and tags.
class Builder : public YAML::EventHandler {
public:
    explicit Builder(std::shared_ptr<const Source> source) : m_source(std::move(source)) {}
    Node root;

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuseAnchor(mark, anchor);
        add(make(Node::Kind::Null, mark), mark);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw Refused{mark.line + 1, "aliases (*name) are not allowed; write the value out"};
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
        refuseAnchor(mark, anchor);
        const bool quoted = tag == "!";
        if (!tag.empty() && tag != "?" && !quoted) throw Refused{mark.line + 1, "tags (" + tag + ") are not allowed; remove it"};
        Node node = make(Node::Kind::Scalar, mark);
        node.text = value;
        node.quoted = quoted;
        if (!quoted && isNullText(value) && !expectsKey()) node.kind = Node::Kind::Null;
        add(std::move(node), mark);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        open(Node::Kind::List, mark, tag, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        open(Node::Kind::Map, mark, tag, anchor);
    }
    void OnMapEnd() override { close(); }

private:
    struct Level {
        Node node;
        bool haveKey = false;
        std::string key;
        int keyLine = 0;
    };
    std::shared_ptr<const Source> m_source;
    std::vector<Level> m_levels;
    size_t m_nodes = 0;

    static void refuseAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != 0) throw Refused{mark.line + 1, "anchors (&name) are not allowed; write the value out where it is needed"};
    }
    [[nodiscard]] bool expectsKey() const {
        return !m_levels.empty() && m_levels.back().node.kind == Node::Kind::Map && !m_levels.back().haveKey;
    }
    Node make(Node::Kind kind, const YAML::Mark& mark) {
        if (++m_nodes > kMaxNodes) throw Refused{mark.line + 1, "more than 50000 values in one file"};
        Node node;
        node.kind = kind;
        node.line = mark.line + 1;
        node.source = m_source;
        return node;
    }
    void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        refuseAnchor(mark, anchor);
        if (!tag.empty() && tag != "?" && tag != "!") throw Refused{mark.line + 1, "tags (" + tag + ") are not allowed; remove it"};
        if (expectsKey()) throw Refused{mark.line + 1, "a key must be a plain word, not a list or a map"};
        if (m_levels.size() >= kMaxDepth) throw Refused{mark.line + 1, "nested deeper than 32 levels"};
        m_levels.push_back({make(kind, mark), false, {}, 0});
    }
    void close() {
        Level level = std::move(m_levels.back());
        m_levels.pop_back();
        attach(std::move(level.node));
    }
    void add(Node node, const YAML::Mark& mark) {
        if (expectsKey()) {
            Level& level = m_levels.back();
            if (node.kind != Node::Kind::Scalar || node.text.empty()) throw Refused{mark.line + 1, "a key is missing before ':'"};
            if (node.text == "<<") throw Refused{mark.line + 1, "merge keys (<<) are not allowed; use preset"};
            if (const Node* seen = level.node.find(node.text))
                throw Refused{mark.line + 1, node.text + ": the key is there twice, first in line " + std::to_string(seen->line)};
            level.haveKey = true;
            level.key = node.text;
            level.keyLine = mark.line + 1;
            return;
        }
        attach(std::move(node));
    }
    void attach(Node node) {
        if (m_levels.empty()) {
            root = std::move(node);
            return;
        }
        Level& level = m_levels.back();
        if (level.node.kind == Node::Kind::List) {
            level.node.items.push_back(std::move(node));
            return;
        }
        node.line = level.keyLine;
        level.node.entries.emplace_back(level.key, std::move(node));
        level.haveKey = false;
    }
};

Error refuse(const std::shared_ptr<const Source>& source, int line, const std::string& what) {
    return Error{"config.invalid", source->name + ":" + std::to_string(line) + ": " + what, "correct the file and try again", {}, false};
}

// What yaml-cpp would read in a way nobody meant: tabs as indentation, control characters (0x04 ends its stream), bytes that are not UTF-8.
Status checkText(std::string_view text, const std::shared_ptr<const Source>& source) {
    if (text.size() > kMaxBytes) return refuse(source, 1, "the file is larger than 1 MiB, which is no recipe");
    const auto lineOf = [&](size_t at) {
        return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    };
    if (const auto bad = firstInvalidUtf8(text)) return refuse(source, lineOf(*bad), "the text is not UTF-8");
    bool indentation = true;
    for (size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == '\t' && indentation) return refuse(source, lineOf(i), "a tab is used as indentation; use spaces");
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return refuse(source, lineOf(i), "the text holds a control character");
        if (c == '\n')
            indentation = true;
        else if (c != ' ' && c != '\t')
            indentation = false;
    }
    return {};
}

} // namespace

const Node* Node::find(std::string_view key) const {
    const auto found = std::ranges::find_if(entries, [&](const auto& entry) { return entry.first == key; });
    return found == entries.end() ? nullptr : &found->second;
}
Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

void Node::set(const std::string& key, Node value) {
    if (Node* old = find(key))
        *old = std::move(value);
    else
        entries.emplace_back(key, std::move(value));
}

bool Node::remove(std::string_view key) {
    return std::erase_if(entries, [&](const auto& entry) { return entry.first == key; }) > 0;
}

std::string Node::where() const {
    if (!source) return {};
    return line > 0 ? source->name + ":" + std::to_string(line) : source->name;
}

Node Node::plain(std::string text) {
    Node node;
    node.kind = Kind::Scalar;
    node.text = std::move(text);
    return node;
}
Node Node::string(std::string text) {
    Node node = plain(std::move(text));
    node.quoted = true;
    return node;
}

Result<Node> parseYaml(std::string_view text, const std::shared_ptr<const Source>& source) {
    QW_CHECK(checkText(text, source));
    try {
        std::istringstream in{std::string(text)};
        YAML::Parser parser(in);
        Builder builder(source);
        if (!parser.HandleNextDocument(builder)) return refuse(source, 1, "the file is empty");
        Builder second(source);
        if (parser.HandleNextDocument(second))
            return refuse(source, std::max(1, second.root.line), "a second document starts here; keep one");
        return std::move(builder.root);
    } catch (const Refused& refused) {
        return refuse(source, refused.line, refused.what);
    } catch (const YAML::Exception& error) {
        return refuse(source, std::max(0, error.mark.line) + 1, "this is not YAML: " + error.msg);
    } catch (const std::exception& error) {
        return refuse(source, 1, std::string("this is not YAML: ") + error.what());
    }
}

} // namespace qw::config
