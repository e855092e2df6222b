// SPDX-License-Identifier: GPL-3.0-or-later
// What: structs to a YAML tree by the descriptions of fields.h.
#include "config/reader.h"

#include <charconv>
#include <cmath>

namespace qw::config {

std::string shortest(double value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value);
    return {text, end.ptr};
}

namespace {

class Writer final : public Fields {
public:
    Node node = Node::map();

    bool writing() const override { return true; }
    bool given(const char*) const override { return true; }
    bool isNull(const char*) const override { return false; }
    void problem(const char*, const std::string&) override {}
    void text(const char* key, std::string& value) override { node.set(key, value.empty() ? Node{} : Node::string(value)); }
    void path(const char* key, std::string& value) override { text(key, value); }
    void choice(const char* key, std::string& value, Words, Words) override { text(key, value); }
    void flag(const char* key, bool& value) override { node.set(key, Node::plain(value ? "true" : "false")); }
    void flag(const char* key, std::optional<bool>& value) override {
        if (value)
            flag(key, *value);
        else
            node.set(key, Node{});
    }
    void integer(const char* key, int64_t& value, int64_t, int64_t) override { node.set(key, Node::plain(std::to_string(value))); }
    void integer(const char* key, std::optional<int64_t>& value, int64_t) override {
        node.set(key, value ? Node::plain(std::to_string(*value)) : Node{});
    }
    void autoInteger(const char* key, int64_t& value) override {
        node.set(key, value == 0 ? Node::string("auto") : Node::plain(std::to_string(value)));
    }
    void real(const char* key, double& value, double, double) override { node.set(key, Node::plain(shortest(value))); }
    void real(const char* key, std::optional<double>& value, double, bool) override {
        node.set(key, !value ? Node{} : std::isinf(*value) ? Node::string("inf") : Node::plain(shortest(*value)));
    }
    void pair(const char* key, std::array<double, 2>& value, double, double) override {
        Node list = Node::list();
        for (const double one : value) list.items.push_back(Node::plain(shortest(one)));
        node.set(key, std::move(list));
    }
    void texts(const char* key, std::vector<std::string>& value) override {
        Node list = Node::list();
        for (const std::string& one : value) list.items.push_back(Node::string(one));
        node.set(key, std::move(list));
    }
    void choices(const char* key, std::vector<std::string>& value, Words, Words) override { texts(key, value); }
    void seeds(const char* key, std::vector<uint64_t>& value) override {
        Node list = Node::list();
        for (const uint64_t one : value) list.items.push_back(Node::plain(std::to_string(one)));
        node.set(key, value.size() == 1 ? list.items.front() : list);
    }
    void neutral(const char*, Words) override {}
    void null(const char* key) override { node.set(key, Node{}); }
    void group(const char* key, const std::function<void(Fields&)>& body) override {
        Writer inner;
        body(inner);
        node.set(key, std::move(inner.node));
    }
    void list(const char* key, size_t count, const std::function<void(size_t)>&,
              const std::function<void(Fields&, size_t)>& item) override {
        Node all = Node::list();
        for (size_t i = 0; i < count; ++i) {
            Writer inner;
            item(inner, i);
            all.items.push_back(std::move(inner.node));
        }
        node.set(key, std::move(all));
    }
};

} // namespace

Node toNode(const records::QatBlock& block) {
    Writer writer;
    records::QatBlock copy = block;
    describe(writer, copy);
    return std::move(writer.node);
}

Node toNode(const records::Recipe& recipe) {
    Writer writer;
    records::Recipe copy = recipe;
    writer.node.set("recipe", Node::plain(std::to_string(recipe.version)));
    writer.text("preset", copy.preset);
    describe(writer, copy);
    return std::move(writer.node);
}

} // namespace qw::config
