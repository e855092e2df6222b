// SPDX-License-Identifier: GPL-3.0-or-later
// What: small tokenizer.json files for tests, loaded from a folder as the product does.
#pragma once

#include "test_data.h"
#include "tokenizer/alphabet.h"
#include "tokenizer/tokenizer.h"

#include <QString>
#include <nlohmann/json.hpp>

namespace qw::test {

using nlohmann::json;
using tokenizer::Tokenizer;
using Ids = std::vector<int32_t>;

// The worked example of tokenizers.md 6.1.
inline json worked(bool ignoreMerges) {
    return {{"version", "1.0"},
            {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
            {"decoder", {{"type", "ByteLevel"}}},
            {"model",
             {{"type", "BPE"},
              {"ignore_merges", ignoreMerges},
              {"vocab", {{"a", 0}, {"b", 1}, {"c", 2}, {"ab", 3}, {"bc", 4}, {"abc", 5}, {"\u0120", 6}, {"\u0120a", 7}}},
              {"merges", {"b c", "a b", "\u0120 a", "ab c"}}}}};
}

// One token a byte, ids by code point, no merges.
inline json bytes() {
    json vocab = json::object();
    int id = 0;
    for (const std::string& character : tokenizer::byteAlphabet()) vocab[character] = id++;
    return {{"pre_tokenizer", {{"type", "ByteLevel"}}},
            {"decoder", {{"type", "ByteLevel"}}},
            {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", json::array()}}}};
}

inline json added(const char* content, std::initializer_list<const char*> flags) {
    json token{{"content", content}, {"single_word", false}, {"lstrip", false},
               {"rstrip", false},    {"normalized", false},  {"special", false}};
    for (const char* flag : flags) token[flag] = true;
    return token;
}

// The worked example in a model folder, with an end token.
inline void writeWorkedTokenizer(const std::filesystem::path& dir) {
    json file = worked(false);
    file["added_tokens"] = {added("</s>", {"special"})};
    writeText(dir / "tokenizer.json", file.dump());
    writeText(dir / "tokenizer_config.json", "{\"eos_token\": \"</s>\"}");
}

// A file given as text is written as it is.
inline Result<Tokenizer> load(const json& file, const json& config = nullptr, const json& generation = nullptr, const json& map = nullptr) {
    const TempDir dir;
    writeText(dir.path() / "tokenizer.json", file.is_string() ? file.get<std::string>() : file.dump());
    for (const auto& [name, value] : {std::pair{"tokenizer_config.json", config}, std::pair{"generation_config.json", generation},
                                      std::pair{"special_tokens_map.json", map}})
        if (!value.is_null()) writeText(dir.path() / name, value.dump());
    return Tokenizer::load(dir.path());
}

inline Ids ids(const json& file, const std::string& text, bool matchSpecials = true) {
    return load(file)->encode(text, {true, matchSpecials}).ids;
}

inline QString shown(const Ids& ids) { return QString::fromStdString(json(ids).dump()); }

} // namespace qw::test
