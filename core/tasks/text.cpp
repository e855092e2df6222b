// SPDX-License-Identifier: GPL-3.0-or-later
#include "tasks/text.h"

#include "base/utf8.h"

namespace qw::tasks {

std::string_view trimmed(std::string_view text) {
    size_t begin = 0;
    while (begin < text.size()) {
        size_t next = begin;
        if (!isWhiteSpace(nextCodePoint(text, next))) break;
        begin = next;
    }
    size_t end = text.size();
    while (end > begin) {
        size_t start = end - 1;
        while (start > begin && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
        size_t scan = start;
        if (!isWhiteSpace(nextCodePoint(text, scan))) break;
        end = start;
    }
    return text.substr(begin, end - begin);
}

bool isBlank(std::string_view text) { return trimmed(text).empty(); }

void replaceAll(std::string& text, std::string_view find, std::string_view put) {
    size_t at = text.find(find);
    if (at == std::string::npos) return;
    std::string out;
    out.reserve(text.size());
    size_t from = 0;
    for (; at != std::string::npos; at = text.find(find, from)) {
        out.append(text, from, at - from).append(put);
        from = at + find.size();
    }
    text = std::move(out.append(text, from));
}

std::string withLf(std::string text) {
    size_t to = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\r')
            text[to++] = text[i];
        else if (i + 1 == text.size() || text[i + 1] != '\n')
            text[to++] = '\n';
    }
    text.resize(to);
    return text;
}

} // namespace qw::tasks
