// SPDX-License-Identifier: GPL-3.0-or-later
// What: bos, eos, pad and unk from the small files beside a tokenizer.json (tokenizers.md 1, 7).
#pragma once

#include "tokenizer/tokenizer.h"

#include <functional>

namespace qw::tokenizer {

struct SpecialFiles {
    SpecialIds ids;
    std::optional<bool> addBos, addEos; // what tokenizer_config.json asks for
    std::vector<std::string> notes;     // where each value came from
    std::vector<std::string> warnings;
};

// idOf: -1 when there is no such token. Files that are absent say nothing; broken ones are an error.
[[nodiscard]] Result<SpecialFiles> readSpecials(const std::filesystem::path& dir, const std::function<int32_t(const std::string&)>& idOf,
                                                const std::function<bool(int32_t)>& exists);

} // namespace qw::tokenizer
