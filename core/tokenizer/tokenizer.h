// SPDX-License-Identifier: GPL-3.0-or-later
// What: tokenizer.json to ids and back, as huggingface/tokenizers does it (tokenizers.md). Immutable after load, thread-safe.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qw::tokenizer {

struct EncodeOptions {
    bool addSpecial = true;     // what the post-processor says
    bool matchSpecials = false; // special added tokens inside the text are recognised
};
struct Encoded {
    std::vector<int32_t> ids;
    int64_t dropped = 0, unknown = 0, replaced = 0; // scalars dropped, unknown tokens, invalid UTF-8 sequences replaced
    std::string failure;                            // not empty: the text cannot be encoded (a regex hit its limits); ids are empty
};
struct SpecialIds {
    std::optional<int32_t> bos, pad, unk;
    std::vector<int32_t> eos; // first is the one training appends
};
struct LoadReport {
    std::vector<std::string> components; // one line each, with parameters
    std::vector<std::string> warnings;
};

class Tokenizer {
public:
    // path: a folder with tokenizer.json (or vocab.json + merges.txt), or a file of it. tokenizer.unsupported names the component that is refused.
    [[nodiscard]] static Result<Tokenizer> load(const std::filesystem::path& path);
    [[nodiscard]] Encoded encode(std::string_view utf8, const EncodeOptions& options = {}) const;
    [[nodiscard]] std::string decode(std::span<const int32_t> ids, bool skipSpecial = true) const;
    [[nodiscard]] const SpecialIds& specials() const;
    [[nodiscard]] const LoadReport& report() const;
    [[nodiscard]] int64_t vocabSize() const;           // highest id + 1
    [[nodiscard]] bool addsBos() const;                // the post-processor puts BOS in front
    [[nodiscard]] std::string token(int32_t id) const; // as in the vocabulary; empty when there is none
    [[nodiscard]] const std::string& digest() const;   // XXH3-128 of the files it was made from

private:
    struct State;
    std::shared_ptr<const State> m_state;
};

} // namespace qw::tokenizer
