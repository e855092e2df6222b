// SPDX-License-Identifier: GPL-3.0-or-later
#include "formats/gguf_tokenizer.h"

#include "base/files.h"
#include "tokenizer/pipeline.h"
#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

namespace qw::formats {
namespace {

using tokenizer::Behavior;
using tokenizer::NormalizerStep;
using tokenizer::Pipeline;
using tokenizer::PreTokenizerStep;
using Normal = NormalizerStep::Kind;
using Cut = PreTokenizerStep::Kind;

enum TokenType : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };
constexpr std::string_view kMetaspace = "\xE2\x96\x81"; // U+2581
constexpr uint64_t kMaxFile = uint64_t{64} << 20;

Error refused(const std::string& what) { return {"usage", what, "choose a format that carries tokenizer.json itself", {}, false}; }

#define QW_TAIL R"(|\s*[\r\n]+|\s+(?!\S)|\s+)"
struct Splitter {
    const char *pattern, *pre;
    bool ignoreMerges; // llama.cpp takes whole pieces from the vocabulary first
};
// tokenizers.md 9
constexpr std::array kSplitters{
    Splitter{R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)" QW_TAIL, "llama-bpe", true},
    Splitter{R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)" QW_TAIL, "qwen2", false},
    Splitter{R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)" QW_TAIL, "qwen35",
             false},
    Splitter{
        R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*)" QW_TAIL,
        "tekken", true}};
#undef QW_TAIL

// tokenizer.ggml.pre of a byte-level pipeline; empty when llama.cpp has none.
std::string preName(const Pipeline& p) {
    const auto& steps = p.preTokenizers;
    if (steps.empty() || steps.back().kind != Cut::ByteLevel || steps.back().addPrefixSpace) return {};
    const bool regex = steps.back().useRegex;
    std::string pre;
    bool whole = false;
    if (steps.size() == 1 && regex) pre = "gpt-2";
    if (steps.size() == 2 && regex && steps[0].kind == Cut::Digits && steps[0].behavior == Behavior::Isolated) pre = "smollm";
    if (steps.size() == 2 && !regex && steps[0].kind == Cut::Split && steps[0].pattern.regex && steps[0].behavior == Behavior::Isolated &&
        !steps[0].invert)
        for (const Splitter& known : kSplitters)
            if (steps[0].pattern.text == known.pattern) {
                pre = known.pre;
                whole = known.ignoreMerges;
            }
    return p.model.ignoreMerges == whole ? pre : std::string();
}

bool isSpaceReplacement(const NormalizerStep& step) {
    return step.kind == Normal::Replace && !step.pattern.regex && step.pattern.text == " " && step.content == kMetaspace;
}

// SentencePiece's pipeline: nothing: it is another one; else whether a space is put in front.
std::optional<bool> spacePrefix(const Pipeline& p) {
    const auto& n = p.normalizers;
    const auto& t = p.preTokenizers;
    if (!p.model.byteFallback || p.model.ignoreMerges) return std::nullopt;
    const bool prepends = n.size() == 2 && n[0].kind == Normal::Prepend && n[0].content == kMetaspace && isSpaceReplacement(n[1]);
    if (prepends && t.empty()) return true;
    if (n.size() == 1 && isSpaceReplacement(n[0])) {
        if (t.empty()) return false;
        if (t.size() == 1 && t[0].kind == Cut::Split && !t[0].pattern.regex && t[0].behavior == Behavior::MergedWithPrevious) return false;
    }
    if (n.empty() && t.size() == 1 && t[0].kind == Cut::Metaspace && t[0].replacement == kMetaspace && !t[0].split)
        return t[0].scheme != tokenizer::PrependScheme::Never;
    return std::nullopt;
}

struct Tokens {
    std::vector<std::string> text;
    std::vector<int32_t> type;
};

Status place(Tokens& out, int32_t id, const std::string& text, int32_t type) {
    if (id < 0 || static_cast<size_t>(id) >= out.text.size())
        return refused("token id " + std::to_string(id) + " lies beyond the " + std::to_string(out.text.size()) + " rows of the embedding");
    if (text.find('\0') != std::string::npos)
        return refused("token " + std::to_string(id) + " holds a zero byte, which GGUF readers cut off");
    out.text[static_cast<size_t>(id)] = text;
    out.type[static_cast<size_t>(id)] = type;
    return {};
}

bool isByteToken(const std::string& text) { return text.size() == 6 && text.starts_with("<0x") && text.ends_with(">"); }

Result<Tokens> tokensOf(const Pipeline& p, int64_t rows, bool sentencePiece, const std::optional<int32_t>& unk) {
    Tokens out{std::vector<std::string>(static_cast<size_t>(rows)), std::vector<int32_t>(static_cast<size_t>(rows), kUnused)};
    for (const auto& [text, id] : p.model.vocab) QW_CHECK(place(out, id, text, sentencePiece && isByteToken(text) ? kByte : kNormal));
    for (const auto& token : p.addedTokens) QW_CHECK(place(out, token.id, token.content, token.special ? kControl : kUserDefined));
    if (sentencePiece && unk && *unk < rows) out.type[static_cast<size_t>(*unk)] = kUnknown;
    std::unordered_set<std::string> seen;
    for (size_t i = 0; i < out.text.size(); ++i)
        if (out.type[i] != kUnused && !seen.insert(out.text[i]).second) return refused("token '" + out.text[i] + "' has two ids");
    for (size_t i = 0; i < out.text.size(); ++i) {
        if (out.type[i] != kUnused) continue;
        out.text[i] = "[PAD" + std::to_string(i) + "]";
        while (!seen.insert(out.text[i]).second) out.text[i] += "_";
    }
    return out;
}

Result<std::vector<std::string>> mergesOf(const Pipeline& p) {
    std::vector<std::string> out;
    for (const auto& [left, right] : p.model.merges) {
        if (left.find(' ') != std::string::npos || right.find(' ') != std::string::npos)
            return refused("merge '" + left + "' + '" + right + "' holds a space, which GGUF cannot say");
        out.push_back(left + " " + right);
    }
    return out;
}

bool isOneCharacter(const std::string& text) {
    return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }) == 1;
}

// llama.cpp merges whatever pair makes a token, best score first: minus the rank of the first merge that makes the token.
std::vector<float> scoresOf(const Pipeline& p, const Tokens& tokens, std::vector<std::string>& notes) {
    std::unordered_map<std::string, size_t> rank;
    std::unordered_set<std::string> pairs;
    for (size_t i = 0; i < p.model.merges.size(); ++i) {
        const auto& [left, right] = p.model.merges[i];
        rank.try_emplace(left + right, i);
        pairs.insert(left + " " + right);
    }
    std::unordered_set<std::string> known;
    for (const auto& [text, id] : p.model.vocab) known.insert(text);
    std::vector<float> out(tokens.text.size());
    int64_t missing = 0;
    for (size_t i = 0; i < out.size(); ++i) {
        const std::string& text = tokens.text[i];
        if (const auto at = rank.find(text); at != rank.end())
            out[i] = -static_cast<float>(at->second);
        else if (tokens.type[i] == kNormal && !isOneCharacter(text))
            out[i] = -static_cast<float>(p.model.merges.size());
        if (tokens.type[i] != kNormal) continue;
        for (size_t cut = 1; cut < text.size(); ++cut) {
            const std::string left = text.substr(0, cut), right = text.substr(cut);
            missing += known.contains(left) && known.contains(right) && !pairs.contains(left + " " + right);
        }
    }
    if (missing > 0)
        notes.push_back(std::to_string(missing) + " pairs make a token without being a merge of tokenizer.json: llama.cpp merges them too, "
                                                  "so some words may get other ids");
    return out;
}

Result<std::string> chatTemplate(const std::filesystem::path& dir) {
    std::error_code code;
    if (std::filesystem::exists(dir / "chat_template.jinja", code)) return readFile(dir / "chat_template.jinja", kMaxFile);
    if (!std::filesystem::exists(dir / "tokenizer_config.json", code)) return std::string();
    QW_TRY(const std::string bytes, readFile(dir / "tokenizer_config.json", kMaxFile));
    const auto config = nlohmann::json::parse(bytes, nullptr, false); // its depth was checked when the tokenizer was loaded
    if (!config.is_object() || !config.contains("chat_template")) return std::string();
    const auto& value = config["chat_template"];
    if (value.is_string()) return value.get<std::string>();
    if (value.is_array())
        for (const auto& one : value)
            if (one.is_object() && one.value("name", nlohmann::json()) == "default" && one.contains("template") &&
                one["template"].is_string())
                return one["template"].get<std::string>();
    return std::string();
}

// What the post-processor puts around a text must be BOS in front and EOS behind.
Status addSpecials(GgufMetadata& metadata, const tokenizer::Tokenizer& tokenizer) {
    const auto& special = tokenizer.specials();
    if (special.eos.empty()) return refused("the tokenizer names no end token: llama.cpp would take id 11 or 2 for it");
    const int32_t eos = special.eos.front(), bos = special.bos.value_or(eos);
    auto around = tokenizer.encode("a").ids;
    const auto plain = tokenizer.encode("a", {false, false}).ids;
    const bool front = around.size() > plain.size() && special.bos && around.front() == bos;
    if (front) around.erase(around.begin());
    const bool back = around.size() > plain.size() && around.back() == eos;
    if (back) around.pop_back();
    if (around != plain) return refused("the post-processor adds other tokens than BOS and EOS, which GGUF cannot say");
    metadata.number("tokenizer.ggml.bos_token_id", static_cast<uint32_t>(bos));
    metadata.number("tokenizer.ggml.eos_token_id", static_cast<uint32_t>(eos));
    if (special.unk) metadata.number("tokenizer.ggml.unknown_token_id", static_cast<uint32_t>(*special.unk));
    if (special.pad) metadata.number("tokenizer.ggml.padding_token_id", static_cast<uint32_t>(*special.pad));
    metadata.flag("tokenizer.ggml.add_bos_token", front);
    metadata.flag("tokenizer.ggml.add_eos_token", back);
    return {};
}

void addNotes(const Pipeline& p, std::vector<std::string>& notes) {
    if (std::ranges::any_of(p.normalizers, [](const NormalizerStep& step) { return step.kind == Normal::Nfc; }))
        notes.push_back("llama.cpp does not apply the tokenizer's NFC: text that is not composed yet gets other ids");
    const auto odd = std::ranges::count_if(p.addedTokens, [](const auto& t) { return t.lstrip || t.rstrip || t.singleWord; });
    if (odd > 0) notes.push_back(std::to_string(odd) + " added tokens take in spaces or whole words only, which llama.cpp does not");
}

// llama.cpp's pre-tokenizers know no normalizer but NFC, which they leave out.
bool onlyComposes(const Pipeline& p) {
    return std::ranges::all_of(p.normalizers, [](const NormalizerStep& step) { return step.kind == Normal::Nfc; });
}

} // namespace

Status addTokenizer(GgufMetadata& metadata, const std::filesystem::path& dir, int64_t rows, std::vector<std::string>& notes) {
    QW_TRY(const auto tokenizer, tokenizer::Tokenizer::load(dir));
    Xxh3 unused;
    QW_TRY(const Pipeline p, tokenizer::loadPipeline(dir, unused));
    const auto prefix = spacePrefix(p);
    const std::string pre = prefix ? "default" : onlyComposes(p) ? preName(p) : std::string();
    if (pre.empty() || !p.model.continuingSubwordPrefix.empty() || !p.model.endOfWordSuffix.empty())
        return refused("llama.cpp has no pre-tokenizer for this model's tokenizer.json");
    QW_TRY(const Tokens tokens, tokensOf(p, rows, prefix.has_value(), tokenizer.specials().unk));
    metadata.text("tokenizer.ggml.model", prefix ? "llama" : "gpt2");
    metadata.text("tokenizer.ggml.pre", pre);
    metadata.texts("tokenizer.ggml.tokens", tokens.text);
    metadata.numbers("tokenizer.ggml.token_type", tokens.type);
    if (prefix) {
        metadata.reals("tokenizer.ggml.scores", scoresOf(p, tokens, notes));
        metadata.flag("tokenizer.ggml.add_space_prefix", *prefix);
    } else {
        QW_TRY(const auto merges, mergesOf(p));
        metadata.texts("tokenizer.ggml.merges", merges);
    }
    QW_CHECK(addSpecials(metadata, tokenizer));
    QW_TRY(const std::string chat, chatTemplate(dir));
    if (!chat.empty()) metadata.text("tokenizer.chat_template", chat);
    addNotes(p, notes);
    return {};
}

} // namespace qw::formats
