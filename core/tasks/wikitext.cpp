// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/utf8.h"
#include "tasks/tasks.h"
#include "tasks/text.h"

#include <array>
#include <utility>

namespace qw::tasks {
namespace {

bool isTitle(std::string_view line) {
    if (line.find("= ") == std::string_view::npos) return false;
    std::string probe(line);
    replaceAll(probe, "= = =", "===");
    replaceAll(probe, "= =", "==");
    const std::string_view inner = trimmed(probe);
    return inner.starts_with("= ") && inner.ends_with(" =");
}

// From each opener to the next closer: the inside is trimmed; an opener without closer stays as it is.
std::string trimInside(const std::string& text, char open, char close) {
    std::string out;
    out.reserve(text.size());
    size_t from = 0;
    for (;;) {
        const size_t begin = text.find(open, from);
        const size_t end = begin == std::string::npos ? begin : text.find(close, begin + 1);
        if (end == std::string::npos) return out.append(text, from);
        out.append(text, from, begin + 1 - from);
        out.append(trimmed(std::string_view(text).substr(begin + 1, end - begin - 1)));
        out += close;
        from = end + 1;
    }
}

// Rule 2: a slash, "' ", a digit, a slash becomes the harness's literal replacement text.
void replaceSlashedDigit(std::string& text) {
    for (size_t at = text.find("/' "); at != std::string::npos; at = text.find("/' ", at + 1)) {
        if (at + 4 >= text.size() || text[at + 3] < '0' || text[at + 3] > '9' || text[at + 4] != '/') continue;
        static constexpr std::string_view kPut = "/'[0-9]/";
        text.replace(at, 5, kPut);
        at += kPut.size() - 1;
    }
}

using Rule = std::pair<std::string_view, std::string_view>;
constexpr std::array<Rule, 9> kBefore{{{" @-@ ", "-"},
                                       {" @,@ ", ","},
                                       {" @.@ ", "."},
                                       {" : ", ": "},
                                       {" ; ", "; "},
                                       {" . ", ". "},
                                       {" ! ", "! "},
                                       {" ? ", "? "},
                                       {" , ", ", "}}};
constexpr std::array<std::pair<char, char>, 5> kPairs{{{'(', ')'}, {'[', ']'}, {'{', '}'}, {'"', '"'}, {'\'', '\''}}};
constexpr std::array<Rule, 8> kAfter{{{"= = = =", "===="},
                                      {"= = =", "==="},
                                      {"= =", "=="},
                                      {" \xC2\xB0 ", "\xC2\xB0"}, // degree sign
                                      {" \n", "\n"},
                                      {"\n ", "\n"},
                                      {" N ", " 1 "},
                                      {" 's", "'s"}}};

} // namespace

std::vector<std::string> wikitextPages(std::string_view text) {
    const std::string lf = withLf(std::string(text));
    std::vector<std::string> pages;
    std::string page;
    bool started = false; // page holds at least one line
    for (size_t from = 0; from <= lf.size();) {
        const size_t end = std::min(lf.find('\n', from), lf.size());
        const std::string_view line = std::string_view(lf).substr(from, end - from);
        if (isTitle(line)) {
            if (!isBlank(page)) pages.push_back(std::move(page));
            page.clear();
            started = false;
        }
        if (started) page += '\n';
        page += line;
        started = true;
        from = end + 1;
    }
    pages.push_back(std::move(page));
    return pages;
}

std::string detokeniseWikitext(std::string_view page) {
    std::string text(page);
    replaceAll(text, "s '", "s'");
    replaceSlashedDigit(text);
    for (const auto& [find, put] : kBefore) replaceAll(text, find, put);
    for (const auto& [open, close] : kPairs) text = trimInside(text, open, close);
    for (const auto& [find, put] : kAfter) replaceAll(text, find, put);
    return text;
}

int64_t countWords(std::string_view text) {
    int64_t pieces = 1;
    bool inSpace = false;
    for (size_t i = 0; i < text.size();) {
        const bool space = isWhiteSpace(nextCodePoint(text, i));
        pieces += space && !inSpace;
        inSpace = space;
    }
    return pieces;
}

} // namespace qw::tasks
