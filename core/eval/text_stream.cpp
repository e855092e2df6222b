// SPDX-License-Identifier: GPL-3.0-or-later
#include "eval/text_stream.h"

#include <algorithm>

namespace qw::eval {
namespace {

constexpr size_t kContextTokens = 5;                     // of the prompt: more than the bytes of one character
constexpr std::string_view kUnfinished = "\xEF\xBF\xBD"; // U+FFFD: what decoders make of a character whose bytes are not all there

// What `after` has behind `before`; where decoding changed its mind, from the first character that differs.
std::string behind(std::string_view before, std::string_view after) {
    size_t same = static_cast<size_t>(std::ranges::mismatch(before, after).in1 - before.begin());
    while (same > 0 && same < after.size() && (static_cast<unsigned char>(after[same]) & 0xC0) == 0x80) --same;
    return std::string(after.substr(same));
}

} // namespace

TextStream::TextStream(const tokenizer::Tokenizer* tokenizer, std::span<const int32_t> prompt, std::vector<std::string> stops)
    : m_tokenizer(tokenizer), m_stops(std::move(stops)) {
    const auto context = prompt.last(std::min(prompt.size(), kContextTokens));
    m_window.assign(context.begin(), context.end());
    m_shown = m_window.size();
}

std::string TextStream::fresh(bool last) {
    const std::span<const int32_t> window(m_window);
    const std::string before = m_tokenizer->decode(window.first(m_shown)), after = m_tokenizer->decode(window);
    if (!last && after.ends_with(kUnfinished)) return {};
    std::string piece = behind(before, after);
    if (piece.empty()) return {};
    m_window.erase(m_window.begin(), m_window.begin() + static_cast<std::ptrdiff_t>(m_shown));
    m_shown = m_window.size();
    return piece;
}

std::string TextStream::release(const std::string& piece, bool last) {
    m_held += piece;
    size_t end = std::string::npos;
    for (const std::string& stop : m_stops) end = std::min(end, m_held.find(stop));
    if (end != std::string::npos) {
        m_stopped = true;
        m_held.resize(end);
        last = true;
    }
    size_t keep = 0;
    for (const std::string& stop : m_stops)
        for (size_t size = std::min(stop.size() - 1, m_held.size()); !last && size > keep; --size)
            if (m_held.ends_with(std::string_view(stop).substr(0, size))) keep = size;
    std::string out = m_held.substr(0, m_held.size() - keep);
    m_held.erase(0, out.size());
    return out;
}

std::string TextStream::add(int32_t id) {
    if (!m_tokenizer || m_stopped) return {};
    m_window.push_back(id);
    return release(fresh(false), false);
}

std::string TextStream::rest() {
    if (!m_tokenizer || m_stopped) return {};
    return release(fresh(true), true);
}

} // namespace qw::eval
