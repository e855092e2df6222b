// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/utf8.h"
#include "tasks/tasks.h"
#include "tasks/text.h"

#include <unicode/ucasemap.h>
#include <unicode/uchar.h>

#include <memory>

namespace qw::tasks {
namespace {

struct MapCloser {
    void operator()(UCaseMap* map) const { ucasemap_close(map); }
};

const UCaseMap* rootCaseMap() { // the empty locale is Unicode's untailored mapping, as Python uses it
    static const std::unique_ptr<UCaseMap, MapCloser> map = [] {
        UErrorCode code = U_ZERO_ERROR;
        return std::unique_ptr<UCaseMap, MapCloser>(ucasemap_open("", U_FOLD_CASE_DEFAULT, &code));
    }();
    return map.get();
}

std::string lower(std::string_view text) {
    UErrorCode code = U_ZERO_ERROR;
    std::string out(text.size() * 3 + 16, '\0'); // no mapping grows UTF-8 more than threefold
    const int32_t n = ucasemap_utf8ToLower(rootCaseMap(), out.data(), static_cast<int32_t>(out.size()), text.data(),
                                           static_cast<int32_t>(text.size()), &code);
    if (U_FAILURE(code)) return std::string(text);
    out.resize(static_cast<size_t>(n));
    return out;
}

std::string title(std::string_view character) {
    UErrorCode code = U_ZERO_ERROR;
    const std::unique_ptr<UCaseMap, MapCloser> map(ucasemap_open("", U_TITLECASE_WHOLE_STRING | U_TITLECASE_NO_BREAK_ADJUSTMENT, &code));
    std::string out(64, '\0');
    const int32_t n = ucasemap_utf8ToTitle(map.get(), out.data(), static_cast<int32_t>(out.size()), character.data(),
                                           static_cast<int32_t>(character.size()), &code);
    if (U_FAILURE(code)) return std::string(character);
    out.resize(static_cast<size_t>(n));
    return out;
}

// A '[' goes with the nearest ']' of its line; without one it stays.
std::string withoutTags(const std::string& text) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '[') {
            const size_t close = text.find_first_of("]\n", i + 1);
            if (close != std::string::npos && text[close] == ']') {
                i = close;
                continue;
            }
        }
        out += text[i];
    }
    return out;
}

size_t best(const std::vector<double>& scores) { // the lowest index wins a tie
    size_t at = 0;
    for (size_t i = 1; i < scores.size(); ++i)
        if (scores[i] > scores[at]) at = i;
    return at;
}

} // namespace

std::string cleanHellaswag(std::string_view text) {
    std::string out(trimmed(text));
    replaceAll(out, " [title]", ". ");
    out = withoutTags(out);
    replaceAll(out, "  ", " ");
    return out;
}

std::string capitalise(std::string_view text) {
    if (text.empty()) return {};
    size_t end = 0;
    const auto first = static_cast<UChar32>(nextCodePoint(text, end));
    // A letter stands in for the first one, so that a final sigma right behind it still sees its neighbour.
    const bool cased = u_hasBinaryProperty(first, UCHAR_CASED) && !u_hasBinaryProperty(first, UCHAR_CASE_IGNORABLE);
    std::string probe(1, cased ? 'a' : '-');
    probe += text.substr(end);
    return title(text.substr(0, end)) + lower(probe).substr(1);
}

void judgeChoice(const ChoiceRow& row, records::EvalItem& item) {
    std::vector<double> perChar(item.ll.size());
    for (size_t i = 0; i < perChar.size(); ++i) perChar[i] = item.ll[i] / static_cast<double>(row.chars[i]);
    item.correct = best(item.ll) == static_cast<size_t>(row.gold);
    item.correctNorm = best(perChar) == static_cast<size_t>(row.gold);
}

} // namespace qw::tasks
