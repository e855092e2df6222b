// SPDX-License-Identifier: GPL-3.0-or-later
// What: the regular expressions of tokenizer.json (Oniguruma's dialect) on PCRE2, by the rules of tokenizers.md 8.
// Limits: constructs whose meaning differs between the two engines are refused, not approximated.
#pragma once

#include "base/result.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qw::tokenizer {

struct Span {
    size_t begin = 0, end = 0;
};

// The pattern in PCRE2's words. tokenizer.unsupported names the construct and its place.
[[nodiscard]] Result<std::string> translateRegex(std::string_view oniguruma, std::vector<std::string>& warnings);

class Regex {
public:
    [[nodiscard]] static Result<Regex> compile(std::string_view oniguruma, std::vector<std::string>& warnings);
    // Successive matches in valid UTF-8, calling found(begin, end). An empty match right behind the last one is passed over.
    // False: a limit was hit (pattern and offset go into failure).
    [[nodiscard]] bool findAll(std::string_view text, std::vector<Span>& matches, std::string& failure) const;

private:
    struct Code;
    std::shared_ptr<const Code> m_code;
};

} // namespace qw::tokenizer
