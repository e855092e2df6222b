// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/normalizers.h"

#include "base/utf8.h"
#include "tokenizer/alphabet.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/ustring.h>

namespace qw::tokenizer {
namespace {

using Kind = NormalizerStep::Kind;

const icu::Normalizer2* unicodeForm(Kind kind) {
    UErrorCode code = U_ZERO_ERROR;
    switch (kind) {
    case Kind::Nfc:
        return icu::Normalizer2::getNFCInstance(code);
    case Kind::Nfd:
        return icu::Normalizer2::getNFDInstance(code);
    case Kind::Nfkc:
        return icu::Normalizer2::getNFKCInstance(code);
    default:
        return icu::Normalizer2::getNFKDInstance(code);
    }
}

void toUnicodeForm(std::string& text, Kind kind) {
    if (isAscii(text)) return;
    const icu::Normalizer2* form = unicodeForm(kind);
    UErrorCode code = U_ZERO_ERROR;
    const icu::StringPiece piece(text.data(), static_cast<int32_t>(text.size()));
    if (form->isNormalizedUTF8(piece, code)) return;
    std::string out;
    icu::StringByteSink<std::string> sink(&out, static_cast<int32_t>(text.size()));
    code = U_ZERO_ERROR;
    form->normalizeUTF8(0, piece, sink, nullptr, code);
    text = std::move(out);
}

// Scalar by scalar: no context, so no final sigma.
void lowercase(std::string& text) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size();) {
        const uint32_t c = nextCodePoint(text, i);
        if (c < 0x80) {
            out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
            continue;
        }
        UChar in[2], lower[8];
        int32_t inLength = 0;
        UErrorCode code = U_ZERO_ERROR;
        U16_APPEND_UNSAFE(in, inLength, static_cast<UChar32>(c));
        const int32_t n = u_strToLower(lower, 8, in, inLength, "", &code);
        for (int32_t k = 0; k < n;) {
            UChar32 l = 0;
            U16_NEXT(lower, k, n, l);
            appendUtf8(out, static_cast<uint32_t>(l));
        }
    }
    text = std::move(out);
}

void strip(std::string& text, bool left, bool right) {
    size_t begin = 0, end = text.size();
    while (left && begin < end) {
        size_t next = begin;
        if (!isUnicodeSpace(nextCodePoint(text, next))) break;
        begin = next;
    }
    while (right && end > begin) {
        size_t last = end - 1;
        while (last > begin && (static_cast<uint8_t>(text[last]) & 0xC0) == 0x80) --last;
        size_t at = last;
        if (!isUnicodeSpace(nextCodePoint(text, at))) break;
        end = last;
    }
    text = text.substr(begin, end - begin);
}

void stripAccents(std::string& text) {
    if (isAscii(text)) return;
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size();) {
        const size_t from = i;
        if (!isMark(nextCodePoint(text, i))) out.append(text, from, i - from);
    }
    text = std::move(out);
}

bool replaceMatches(std::string& text, const Regex& regex, std::string_view content, std::string& failure) {
    std::vector<Span> matches;
    if (!regex.findAll(text, matches, failure)) return false;
    if (matches.empty()) return true;
    std::string out;
    size_t from = 0;
    for (const Span& match : matches) {
        out.append(text, from, match.begin - from);
        out += content;
        from = match.end;
    }
    out.append(text, from);
    text = std::move(out);
    return true;
}

} // namespace

void replaceAll(std::string& text, std::string_view from, std::string_view to) {
    size_t hit = text.find(from);
    if (hit == std::string::npos) return;
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    size_t done = 0;
    for (; hit != std::string::npos; hit = text.find(from, done)) {
        out.append(text, done, hit - done);
        out += to;
        done = hit + from.size();
    }
    out.append(text, done);
    text = std::move(out);
}

Result<Normalizer> Normalizer::make(const std::vector<NormalizerStep>& steps, std::vector<std::string>& warnings) {
    Normalizer normalizer;
    for (const NormalizerStep& step : steps) {
        Step made{step, {}};
        if (step.kind == Kind::Replace && step.pattern.regex) {
            QW_TRY(Regex regex, Regex::compile(step.pattern.text, warnings));
            made.regex.push_back(std::move(regex));
        }
        normalizer.m_steps.push_back(std::move(made));
    }
    return normalizer;
}

bool Normalizer::run(std::string& text, std::string& failure) const {
    for (const Step& step : m_steps) {
        switch (step.what.kind) {
        case Kind::Nfc:
        case Kind::Nfd:
        case Kind::Nfkc:
        case Kind::Nfkd:
            toUnicodeForm(text, step.what.kind);
            break;
        case Kind::Lowercase:
            lowercase(text);
            break;
        case Kind::Strip:
            strip(text, step.what.left, step.what.right);
            break;
        case Kind::StripAccents:
            stripAccents(text);
            break;
        case Kind::Prepend:
            if (!text.empty()) text.insert(0, step.what.content);
            break;
        case Kind::ByteLevel: {
            std::string mapped;
            mapped.reserve(text.size() * 2);
            appendMappedBytes(mapped, text);
            text = std::move(mapped);
            break;
        }
        case Kind::Replace:
            if (step.regex.empty())
                replaceAll(text, step.what.pattern.text, step.what.content);
            else if (!replaceMatches(text, step.regex[0], step.what.content, failure))
                return false;
            break;
        }
    }
    return true;
}

} // namespace qw::tokenizer
