// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/decoders.h"

#include "base/utf8.h"
#include "tokenizer/alphabet.h"
#include "tokenizer/normalizers.h"

#include <algorithm>

namespace qw::tokenizer {
namespace {

using Kind = DecoderStep::Kind;
using Tokens = std::vector<std::string>;

Tokens byteLevel(const Tokens& tokens) {
    std::string bytes, one;
    for (const std::string& token : tokens) bytes += unmapBytes(token, one) ? one : token;
    size_t replaced = 0;
    return {firstInvalidUtf8(bytes) ? replaceInvalidUtf8(bytes, replaced) : bytes};
}

int hexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int byteOfToken(const std::string& token) { // "<0xHH>", or -1
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
    const int high = hexDigit(token[3]), low = hexDigit(token[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

Tokens byteFallback(const Tokens& tokens) {
    Tokens out;
    std::string run;
    const auto flush = [&] {
        if (run.empty()) return;
        if (!firstInvalidUtf8(run))
            out.push_back(run);
        else
            out.insert(out.end(), run.size(), "\xEF\xBF\xBD");
        run.clear();
    };
    for (const std::string& token : tokens) {
        const int byte = byteOfToken(token);
        if (byte >= 0) {
            run += static_cast<char>(byte);
            continue;
        }
        flush();
        out.push_back(token);
    }
    flush();
    return out;
}

void metaspace(Tokens& tokens, const DecoderStep& step) {
    for (size_t i = 0; i < tokens.size(); ++i)
        replaceAll(tokens[i], step.content, i == 0 && step.scheme != PrependScheme::Never ? "" : " ");
}

void strip(std::string& token, const DecoderStep& step) {
    const std::string& c = step.content;
    size_t begin = 0, end = token.size();
    for (size_t k = 0; k < step.start && end - begin >= c.size() && token.compare(begin, c.size(), c) == 0; ++k) begin += c.size();
    for (size_t k = 0; k < step.stop && end - begin >= c.size() && token.compare(end - c.size(), c.size(), c) == 0; ++k) end -= c.size();
    token = token.substr(begin, end - begin);
}

void fuse(Tokens& tokens) {
    std::string all;
    for (const std::string& token : tokens) all += token;
    tokens = {std::move(all)};
}

// A regex that gives up replaces nothing: decoding shows text, it decides nothing.
void replaceRegex(std::string& token, const Regex& regex, const std::string& content) {
    std::vector<Span> matches;
    std::string failure;
    if (!regex.findAll(token, matches, failure)) return;
    for (size_t i = matches.size(); i-- > 0;) token.replace(matches[i].begin, matches[i].end - matches[i].begin, content);
}

} // namespace

Result<Decoder> Decoder::make(const Pipeline& pipeline, std::vector<std::string>& warnings) {
    Decoder made;
    made.m_joinWithSpaces = !pipeline.hasDecoder;
    for (const DecoderStep& step : pipeline.decoders) {
        Step next{step, {}};
        if (step.kind == Kind::Replace && step.pattern.regex) {
            QW_TRY(Regex regex, Regex::compile(step.pattern.text, warnings));
            next.regex.push_back(std::move(regex));
        }
        made.m_steps.push_back(std::move(next));
    }
    return made;
}

std::string Decoder::run(Tokens tokens) const {
    for (const Step& step : m_steps) {
        switch (step.what.kind) {
        case Kind::ByteLevel:
            tokens = byteLevel(tokens);
            break;
        case Kind::ByteFallback:
            tokens = byteFallback(tokens);
            break;
        case Kind::Metaspace:
            metaspace(tokens, step.what);
            break;
        case Kind::Fuse:
            fuse(tokens);
            break;
        case Kind::Strip:
            for (std::string& token : tokens) strip(token, step.what);
            break;
        case Kind::Replace:
            for (std::string& token : tokens) {
                if (step.regex.empty())
                    replaceAll(token, step.what.pattern.text, step.what.content);
                else
                    replaceRegex(token, step.regex[0], step.what.content);
            }
            break;
        case Kind::Bpe:
            for (size_t i = 0; i < tokens.size(); ++i) replaceAll(tokens[i], step.what.content, i + 1 < tokens.size() ? " " : "");
            break;
        }
    }
    std::string out;
    for (size_t i = 0; i < tokens.size(); ++i) {
        if (m_joinWithSpaces && i > 0) out += ' ';
        out += tokens[i];
    }
    return out;
}

} // namespace qw::tokenizer
