// SPDX-License-Identifier: GPL-3.0-or-later
// What: a tokenizer.json as plain structs: what the loader reads and the stages are made from. Sequences are flattened.
#pragma once

#include "base/digest.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qw::tokenizer {

struct Pattern {
    bool regex = false; // false: literal text
    std::string text;
};

enum class Behavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };
enum class PrependScheme { Always, First, Never };

struct NormalizerStep {
    enum class Kind { Nfc, Nfd, Nfkc, Nfkd, Lowercase, Strip, StripAccents, Replace, Prepend, ByteLevel } kind;
    Pattern pattern;                // Replace
    std::string content;            // Replace, Prepend
    bool left = true, right = true; // Strip
};

struct PreTokenizerStep {
    enum class Kind { ByteLevel, Split, Metaspace, Digits, Punctuation, WhitespaceSplit, Whitespace, CharDelimiterSplit } kind;
    Pattern pattern;                        // Split, CharDelimiterSplit
    Behavior behavior = Behavior::Isolated; // Split, Punctuation, Digits
    bool invert = false;                    // Split
    bool addPrefixSpace = false;            // ByteLevel
    bool useRegex = true;                   // ByteLevel
    std::string replacement;                // Metaspace
    PrependScheme scheme = PrependScheme::Always;
    bool split = true; // Metaspace
};

struct DecoderStep {
    enum class Kind { ByteLevel, ByteFallback, Metaspace, Replace, Fuse, Strip, Bpe } kind;
    Pattern pattern;                              // Replace
    std::string content;                          // Replace: new text; Strip: one character; Bpe: suffix; Metaspace: replacement
    size_t start = 0, stop = 0;                   // Strip
    PrependScheme scheme = PrependScheme::Always; // Metaspace
};

struct TemplatePiece {
    bool text = false;        // the encoded text; else the ids
    std::vector<int32_t> ids; // of a special token
};
using Template = std::vector<TemplatePiece>;

struct BpeModel {
    std::vector<std::pair<std::string, int32_t>> vocab;
    std::vector<std::pair<std::string, std::string>> merges; // best first
    std::optional<std::string> unkToken;
    std::string continuingSubwordPrefix, endOfWordSuffix;
    bool fuseUnk = false, byteFallback = false, ignoreMerges = false;
};

struct AddedToken {
    int32_t id = 0;
    std::string content;
    bool singleWord = false, lstrip = false, rstrip = false, normalized = false, special = false;
};

struct Pipeline {
    std::vector<AddedToken> addedTokens; // in file order
    std::vector<NormalizerStep> normalizers;
    std::vector<PreTokenizerStep> preTokenizers;
    BpeModel model;
    std::vector<Template> templates; // applied in order
    std::vector<DecoderStep> decoders;
    bool hasDecoder = false; // without one the tokens are joined with spaces
    std::vector<std::string> components, warnings;
};

// bytes: the content of a tokenizer.json; name stands in errors. tokenizer.unsupported, file.corrupt.
[[nodiscard]] Result<Pipeline> parsePipeline(std::string_view bytes, const std::string& name);
// GPT-2's own pair of files: vocab.json (token to id) and merges.txt.
[[nodiscard]] Result<Pipeline> parseGpt2Files(std::string_view vocabJson, std::string_view mergesText, const std::string& folder);

// The files of a model folder; digest takes in what decides ids.
[[nodiscard]] Result<Pipeline> loadPipeline(const std::filesystem::path& dir, Xxh3& digest);

} // namespace qw::tokenizer
