// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/pipeline.h"

#include "tokenizer/json_depth.h"

#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

namespace qw::tokenizer {
namespace {

using nlohmann::json;

constexpr size_t kMaxVocabulary = size_t{1} << 22, kMaxToken = 64 * 1024;

// Thrown and caught in this file only: the reader below would drown in checks otherwise.
struct Refusal {
    Error error;
};
[[noreturn]] void corrupt(const std::string& where, const std::string& what) {
    throw Refusal{{"file.corrupt", where + ": " + what, "the file is damaged or was not written by tokenizers: fetch it again", {}, false}};
}
[[noreturn]] void unsupported(const std::string& where, const std::string& what) {
    throw Refusal{{"tokenizer.unsupported",
                   where + ": " + what + " is not supported",
                   "use a model with a BPE tokenizer of the kinds in the guide, or ask for this one",
                   {},
                   false}};
}

// One JSON object and its path in the file.
struct Node {
    const json& value;
    std::string where;

    [[nodiscard]] bool has(const char* key) const { return value.contains(key) && !value.at(key).is_null(); }
    [[nodiscard]] Node child(const char* key) const {
        if (!value.contains(key)) corrupt(where, std::string("'") + key + "' is missing");
        return {value.at(key), where + "." + key};
    }
    [[nodiscard]] std::string text(const char* key) const {
        const Node node = child(key);
        if (!node.value.is_string()) corrupt(node.where, "text was expected");
        return node.value.get<std::string>();
    }
    [[nodiscard]] std::string text(const char* key, const char* fallback) const { return has(key) ? text(key) : std::string(fallback); }
    [[nodiscard]] bool flag(const char* key) const {
        const Node node = child(key);
        if (!node.value.is_boolean()) corrupt(node.where, "true or false was expected");
        return node.value.get<bool>();
    }
    [[nodiscard]] bool flag(const char* key, bool fallback) const { return has(key) ? flag(key) : fallback; }
    [[nodiscard]] int64_t integer(const char* key) const {
        const Node node = child(key);
        if (!node.value.is_number_integer()) corrupt(node.where, "a whole number was expected");
        return node.value.get<int64_t>();
    }
    template<class Visit> void each(const char* key, Visit visit) const {
        const Node list = child(key);
        if (!list.value.is_array()) corrupt(list.where, "a list was expected");
        for (size_t i = 0; i < list.value.size(); ++i) visit(Node{list.value[i], list.where + "[" + std::to_string(i) + "]"});
    }
    [[nodiscard]] std::string type() const {
        if (!value.is_object()) corrupt(where, "an object was expected");
        return text("type");
    }
};

template<class T>
T oneOf(const Node& node, const char* key, const std::string& value, std::initializer_list<std::pair<const char*, T>> known) {
    for (const auto& [name, meaning] : known)
        if (value == name) return meaning;
    unsupported(node.where + "." + key, "value '" + value + "'");
}

Pattern patternOf(const Node& node) {
    const Node pattern = node.child("pattern");
    if (pattern.value.is_object() && pattern.value.size() == 1)
        for (const char* kind : {"String", "Regex"})
            if (pattern.has(kind)) {
                Pattern made{kind == std::string_view("Regex"), pattern.text(kind)};
                if (made.text.empty()) unsupported(pattern.where, "an empty pattern");
                return made;
            }
    corrupt(pattern.where, "{\"String\": …} or {\"Regex\": …} was expected");
}

Behavior behaviorOf(const Node& node, const char* fallback) {
    return oneOf<Behavior>(node, "behavior", node.text("behavior", fallback),
                           {{"Removed", Behavior::Removed},
                            {"Isolated", Behavior::Isolated},
                            {"MergedWithPrevious", Behavior::MergedWithPrevious},
                            {"MergedWithNext", Behavior::MergedWithNext},
                            {"Contiguous", Behavior::Contiguous}});
}

PrependScheme schemeOf(const Node& node) {
    const bool old = node.flag("add_prefix_space", true); // files before prepend_scheme
    const auto scheme =
        oneOf<PrependScheme>(node, "prepend_scheme", node.text("prepend_scheme", "always"),
                             {{"always", PrependScheme::Always}, {"first", PrependScheme::First}, {"never", PrependScheme::Never}});
    if (!old && scheme != PrependScheme::Never) unsupported(node.where, "add_prefix_space false without prepend_scheme never");
    return scheme;
}

std::string describe(const Node& node) {
    std::string text = node.value.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > 300) text = text.substr(0, 297) + "...";
    return node.where.substr(node.where.find(": ") + 2) + " " + text;
}

void readNormalizer(const Node& node, Pipeline& out) {
    using Kind = NormalizerStep::Kind;
    const std::string type = node.type();
    if (type == "Sequence") return node.each("normalizers", [&](const Node& inner) { readNormalizer(inner, out); });
    NormalizerStep step{oneOf<Kind>(node, "type", type,
                                    {{"NFC", Kind::Nfc},
                                     {"NFD", Kind::Nfd},
                                     {"NFKC", Kind::Nfkc},
                                     {"NFKD", Kind::Nfkd},
                                     {"Lowercase", Kind::Lowercase},
                                     {"Strip", Kind::Strip},
                                     {"StripAccents", Kind::StripAccents},
                                     {"Replace", Kind::Replace},
                                     {"Prepend", Kind::Prepend},
                                     {"ByteLevel", Kind::ByteLevel}}),
                        {},
                        {},
                        true,
                        true};
    if (step.kind == Kind::Replace) {
        step.pattern = patternOf(node);
        step.content = node.text("content");
    }
    if (step.kind == Kind::Prepend) step.content = node.text("prepend");
    if (step.kind == Kind::Strip) {
        step.left = node.flag("strip_left");
        step.right = node.flag("strip_right");
    }
    out.normalizers.push_back(step);
    out.components.push_back(describe(node));
}

void readPreTokenizer(const Node& node, Pipeline& out) {
    using Kind = PreTokenizerStep::Kind;
    const std::string type = node.type();
    if (type == "Sequence") return node.each("pretokenizers", [&](const Node& inner) { readPreTokenizer(inner, out); });
    PreTokenizerStep step{};
    step.kind = oneOf<Kind>(node, "type", type,
                            {{"ByteLevel", Kind::ByteLevel},
                             {"Split", Kind::Split},
                             {"Metaspace", Kind::Metaspace},
                             {"Digits", Kind::Digits},
                             {"Punctuation", Kind::Punctuation},
                             {"WhitespaceSplit", Kind::WhitespaceSplit},
                             {"Whitespace", Kind::Whitespace},
                             {"CharDelimiterSplit", Kind::CharDelimiterSplit}});
    switch (step.kind) {
    case Kind::ByteLevel:
        step.addPrefixSpace = node.flag("add_prefix_space", false);
        step.useRegex = node.flag("use_regex", true);
        break;
    case Kind::Split:
        step.pattern = patternOf(node);
        step.behavior = behaviorOf(node, "");
        step.invert = node.flag("invert", false);
        break;
    case Kind::Metaspace:
        step.replacement = node.text("replacement");
        step.scheme = schemeOf(node);
        step.split = node.flag("split", true);
        if (step.replacement.empty()) corrupt(node.where + ".replacement", "one character was expected");
        break;
    case Kind::Digits:
        step.behavior = node.flag("individual_digits", false) ? Behavior::Isolated : Behavior::Contiguous;
        break;
    case Kind::Punctuation:
        step.behavior = behaviorOf(node, "Isolated");
        break;
    case Kind::CharDelimiterSplit:
        step.pattern = {false, node.text("delimiter")};
        break;
    default:
        break;
    }
    out.preTokenizers.push_back(step);
    out.components.push_back(describe(node));
}

void readDecoder(const Node& node, Pipeline& out) {
    using Kind = DecoderStep::Kind;
    const std::string type = node.type();
    if (type == "Sequence") return node.each("decoders", [&](const Node& inner) { readDecoder(inner, out); });
    DecoderStep step{};
    step.kind = oneOf<Kind>(node, "type", type,
                            {{"ByteLevel", Kind::ByteLevel},
                             {"ByteFallback", Kind::ByteFallback},
                             {"Metaspace", Kind::Metaspace},
                             {"Replace", Kind::Replace},
                             {"Fuse", Kind::Fuse},
                             {"Strip", Kind::Strip},
                             {"BPEDecoder", Kind::Bpe}});
    switch (step.kind) {
    case Kind::Metaspace:
        step.content = node.text("replacement");
        step.scheme = schemeOf(node);
        break;
    case Kind::Replace:
        step.pattern = patternOf(node);
        step.content = node.text("content");
        break;
    case Kind::Strip: {
        step.content = node.text("content");
        const int64_t start = node.integer("start"), stop = node.integer("stop");
        if (start < 0 || stop < 0) corrupt(node.where, "start and stop cannot be negative");
        step.start = static_cast<size_t>(start);
        step.stop = static_cast<size_t>(stop);
        break;
    }
    case Kind::Bpe:
        step.content = node.text("suffix", "</w>");
        break;
    default:
        break;
    }
    const bool needsText = step.kind == Kind::Metaspace || step.kind == Kind::Strip || step.kind == Kind::Bpe;
    if (needsText && step.content.empty()) corrupt(node.where, "an empty text");
    out.decoders.push_back(step);
    out.components.push_back(describe(node));
}

void readPostProcessor(const Node& node, Pipeline& out) {
    const std::string type = node.type();
    if (type == "Sequence") return node.each("processors", [&](const Node& inner) { readPostProcessor(inner, out); });
    if (type != "ByteLevel" && type != "TemplateProcessing") unsupported(node.where, "type '" + type + "'");
    out.components.push_back(describe(node));
    if (type == "ByteLevel") return; // offsets only
    Template made;
    node.each("single", [&](const Node& piece) {
        if (piece.value.is_object() && piece.has("Sequence")) {
            const Node sequence = piece.child("Sequence");
            if (sequence.text("id") != "A") corrupt(sequence.where, "only sequence A can stand in 'single'");
            made.push_back({true, {}});
            return;
        }
        if (!piece.value.is_object()) corrupt(piece.where, "an object was expected");
        const std::string id = piece.child("SpecialToken").text("id");
        const Node token = node.child("special_tokens").child(id.c_str());
        TemplatePiece ids;
        token.each("ids", [&](const Node& one) {
            if (!one.value.is_number_integer() || one.value.get<int64_t>() < 0 || one.value.get<int64_t>() > INT32_MAX)
                corrupt(one.where, "no token id");
            ids.ids.push_back(one.value.get<int32_t>());
        });
        made.push_back(std::move(ids));
    });
    out.templates.push_back(std::move(made));
}

void readVocabulary(const Node& vocab, BpeModel& out) {
    if (!vocab.value.is_object()) unsupported(vocab.where, "a vocabulary that is not an object of token: id");
    if (vocab.value.size() > kMaxVocabulary) corrupt(vocab.where, "more than 4194304 tokens");
    std::unordered_map<int64_t, const std::string*> seen;
    for (const auto& [token, id] : vocab.value.items()) {
        if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > INT32_MAX)
            corrupt(vocab.where, "token '" + token + "' has no valid id");
        if (token.size() > kMaxToken) corrupt(vocab.where, "a token of more than 64 KiB");
        out.vocab.emplace_back(token, id.get<int32_t>());
    }
    for (const auto& [token, id] : out.vocab)
        if (const auto [it, isNew] = seen.emplace(id, &token); !isNew)
            corrupt(vocab.where, "tokens '" + *it->second + "' and '" + token + "' share the id " + std::to_string(id));
}

std::pair<std::string, std::string> splitMerge(const std::string& line, const std::string& where) {
    const size_t space = line.find(' ');
    if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos)
        corrupt(where, "merge '" + line + "' is not two tokens and one space");
    return {line.substr(0, space), line.substr(space + 1)};
}

void readModel(const Node& node, Pipeline& out) {
    if (!node.value.is_object()) corrupt(node.where, "an object was expected");
    const bool typed = node.has("type");
    const std::string type = typed ? node.text("type") : node.has("merges") ? "BPE" : "Unigram"; // old files have no type
    if (type != "BPE") unsupported(node.where, "model type '" + type + "'");
    BpeModel& model = out.model;
    readVocabulary(node.child("vocab"), model);
    node.each("merges", [&](const Node& merge) {
        if (merge.value.is_array() && merge.value.size() == 2 && merge.value[0].is_string() && merge.value[1].is_string())
            model.merges.emplace_back(merge.value[0].get<std::string>(), merge.value[1].get<std::string>());
        else if (merge.value.is_string()) {
            const auto line = merge.value.get<std::string>();
            if (!line.starts_with("#version")) model.merges.push_back(splitMerge(line, merge.where));
        } else
            corrupt(merge.where, "a pair of tokens was expected");
    });
    if (node.has("unk_token")) model.unkToken = node.text("unk_token");
    model.continuingSubwordPrefix = node.text("continuing_subword_prefix", "");
    model.endOfWordSuffix = node.text("end_of_word_suffix", "");
    model.fuseUnk = node.flag("fuse_unk", false);
    model.byteFallback = node.flag("byte_fallback", false);
    model.ignoreMerges = node.flag("ignore_merges", false);
    if (node.has("dropout") && node.value.at("dropout") != 0)
        out.warnings.push_back(node.where + ".dropout is ignored: encoding is deterministic");
    out.components.push_back("model BPE: " + std::to_string(model.vocab.size()) + " tokens, " + std::to_string(model.merges.size()) +
                             " merges, unk_token " + (model.unkToken ? "'" + *model.unkToken + "'" : "none") +
                             (model.fuseUnk ? ", fuse_unk" : "") + (model.byteFallback ? ", byte_fallback" : "") +
                             (model.ignoreMerges ? ", ignore_merges" : ""));
}

// tokenizers ignores the id field: a token of the vocabulary keeps its id, the others get the next free ones. A file that says
// otherwise would mean different ids to different readers.
void readAddedTokens(const Node& root, Pipeline& out) {
    if (!root.has("added_tokens")) return;
    std::unordered_map<std::string, int32_t> known(out.model.vocab.begin(), out.model.vocab.end());
    std::unordered_set<std::string> seen;
    int64_t next = static_cast<int64_t>(out.model.vocab.size());
    root.each("added_tokens", [&](const Node& node) {
        if (!node.value.is_object()) corrupt(node.where, "an object was expected");
        AddedToken token;
        token.content = node.text("content");
        token.singleWord = node.flag("single_word", false);
        token.lstrip = node.flag("lstrip", false);
        token.rstrip = node.flag("rstrip", false);
        token.special = node.flag("special", false);
        token.normalized = node.flag("normalized", !token.special);
        if (token.content.size() > kMaxToken) corrupt(node.where, "a token of more than 64 KiB");
        if (token.content.empty() || !seen.insert(token.content).second) return;
        const auto it = known.find(token.content);
        const int64_t id = it != known.end() ? it->second : next++;
        if (node.has("id") && node.integer("id") != id)
            corrupt(node.where, "token '" + token.content + "' says id " + std::to_string(node.integer("id")) + ", tokenizers gives it " +
                                    std::to_string(id));
        if (seen.size() > kMaxVocabulary || id > INT32_MAX) corrupt(node.where, "too many tokens");
        token.id = static_cast<int32_t>(id);
        out.addedTokens.push_back(std::move(token));
    });
    out.components.push_back("added_tokens: " + std::to_string(out.addedTokens.size()));
}

json parseJson(std::string_view bytes, const std::string& name) {
    if (const auto deep = jsonTooDeep(bytes, 64)) corrupt(name, "nested more than 64 levels at byte " + std::to_string(*deep));
    try {
        return json::parse(bytes);
    } catch (const json::exception& error) {
        corrupt(name, std::string("not valid JSON: ") + error.what());
    }
}

void noteUnknown(const json& root, Pipeline& out, const std::string& name) {
    static const std::unordered_set<std::string> known{"version",       "truncation", "padding",        "added_tokens", "normalizer",
                                                       "pre_tokenizer", "model",      "post_processor", "decoder"};
    for (const auto& [key, value] : root.items())
        if (!known.contains(key)) out.warnings.push_back(name + ": '" + key + "' is not known and ignored");
}

} // namespace

Result<Pipeline> parsePipeline(std::string_view bytes, const std::string& name) {
    try {
        const json document = parseJson(bytes, name);
        if (!document.is_object()) corrupt(name, "an object was expected");
        const auto part = [&](const char* key) { return Node{document.at(key), name + ": " + key}; };
        const Node root{document, name};
        if (root.has("version") && root.text("version") != "1.0") unsupported(name, "version '" + root.text("version") + "'");
        Pipeline out;
        noteUnknown(document, out, name);
        if (root.has("normalizer")) readNormalizer(part("normalizer"), out);
        if (root.has("pre_tokenizer")) readPreTokenizer(part("pre_tokenizer"), out);
        if (!root.has("model")) corrupt(name, "'model' is missing");
        readModel(part("model"), out);
        readAddedTokens(root, out);
        if (root.has("post_processor")) readPostProcessor(part("post_processor"), out);
        out.hasDecoder = root.has("decoder");
        if (out.hasDecoder) readDecoder(part("decoder"), out);
        return out;
    } catch (Refusal& refusal) {
        return std::move(refusal.error);
    }
}

} // namespace qw::tokenizer
