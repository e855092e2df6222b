// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace qw::tokenizer {
namespace {

// Hostile patterns must end: about a second of matching at most.
constexpr uint32_t kMatchLimit = 10'000'000, kDepthLimit = 10'000;
constexpr size_t kStackStart = 32 * 1024, kStackMax = 1024 * 1024;

// What one thread needs to match with any pattern.
struct Matcher {
    pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
    pcre2_match_context* context = pcre2_match_context_create(nullptr);
    pcre2_jit_stack* stack = pcre2_jit_stack_create(kStackStart, kStackMax, nullptr);
    Matcher() {
        pcre2_set_match_limit(context, kMatchLimit);
        pcre2_set_depth_limit(context, kDepthLimit);
        if (stack) pcre2_jit_stack_assign(context, nullptr, stack);
    }
    ~Matcher() {
        pcre2_jit_stack_free(stack);
        pcre2_match_context_free(context);
        pcre2_match_data_free(data);
    }
    Matcher(const Matcher&) = delete;
    Matcher& operator=(const Matcher&) = delete;
};

std::string pcreMessage(int code) {
    PCRE2_UCHAR buffer[160];
    pcre2_get_error_message(code, buffer, sizeof buffer);
    return reinterpret_cast<const char*>(buffer);
}

} // namespace

struct Regex::Code {
    pcre2_code* code = nullptr;
    bool jit = false;
    std::string source;
    ~Code() { pcre2_code_free(code); }
};

Result<Regex> Regex::compile(std::string_view oniguruma, std::vector<std::string>& warnings) {
    QW_TRY(const std::string pattern, translateRegex(oniguruma, warnings));
    auto made = std::make_shared<Code>();
    made->source = oniguruma;
    pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    int error = 0;
    size_t offset = 0;
    made->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                               PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset, context);
    pcre2_compile_context_free(context);
    if (!made->code)
        return Error{
            "tokenizer.unsupported", "regular expression '" + made->source.substr(0, 200) + "': " + pcreMessage(error), {}, {}, false};
    made->jit = pcre2_jit_compile(made->code, PCRE2_JIT_COMPLETE) == 0;
    Regex regex;
    regex.m_code = std::move(made);
    return regex;
}

bool Regex::findAll(std::string_view text, std::vector<Span>& matches, std::string& failure) const {
    thread_local Matcher matcher;
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    const PCRE2_SIZE* const found = pcre2_get_ovector_pointer(matcher.data);
    size_t from = 0, lastEnd = std::string_view::npos;
    while (from <= text.size()) {
        const int rc = m_code->jit
                           ? pcre2_jit_match(m_code->code, subject, text.size(), from, PCRE2_NO_UTF_CHECK, matcher.data, matcher.context)
                           : pcre2_match(m_code->code, subject, text.size(), from, PCRE2_NO_UTF_CHECK, matcher.data, matcher.context);
        if (rc == PCRE2_ERROR_NOMATCH) return true;
        if (rc < 0) {
            failure = "regular expression '" + m_code->source.substr(0, 200) + "' gave up at byte " + std::to_string(from) + ": " +
                      pcreMessage(rc);
            return false;
        }
        const size_t begin = found[0], end = found[1];
        if (begin == end && lastEnd == end) {
            ++from;
            while (from < text.size() && (static_cast<uint8_t>(text[from]) & 0xC0) == 0x80) ++from;
            continue;
        }
        matches.push_back({begin, end});
        from = lastEnd = end;
    }
    return true;
}

} // namespace qw::tokenizer
