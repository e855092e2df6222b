// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/pre_tokenizers.h"

#include "base/utf8.h"
#include "tokenizer/alphabet.h"

#include <algorithm>

namespace qw::tokenizer {
namespace {

using Kind = PreTokenizerStep::Kind;
using Part = std::pair<Span, bool>; // span, is a match

constexpr std::string_view kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kWords = R"(\w+|[^\w\s]+)";

// Matches and the gaps between them, in order; an empty match stays an (empty) part, as it steers the merging behaviours.
void partsFromMatches(Span piece, const std::vector<Span>& matches, bool invert, std::vector<Part>& parts) {
    size_t from = piece.begin;
    for (const Span& match : matches) {
        if (from != match.begin) parts.push_back({{from, match.begin}, invert});
        parts.push_back({match, !invert});
        from = match.end;
    }
    if (from != piece.end) parts.push_back({{from, piece.end}, invert});
}

void findLiteral(const std::string& text, Span piece, const std::string& literal, std::vector<Span>& matches) {
    const std::string_view view(text.data() + piece.begin, piece.end - piece.begin);
    for (size_t hit = view.find(literal); hit != std::string_view::npos; hit = view.find(literal, hit + literal.size()))
        matches.push_back({piece.begin + hit, piece.begin + hit + literal.size()});
}

template<class Predicate> void findCharacters(const std::string& text, Span piece, Predicate is, std::vector<Span>& matches) {
    for (size_t i = piece.begin; i < piece.end;) {
        const size_t from = i;
        if (is(nextCodePoint(text, i))) matches.push_back({from, i});
    }
}

void keep(Span span, std::vector<Span>& out) {
    if (span.begin != span.end) out.push_back(span);
}

// The folds of tokenizers' NormalizedString::split.
void applyBehavior(std::vector<Part>& parts, Behavior behavior, std::vector<Span>& out) {
    switch (behavior) {
    case Behavior::Removed:
        for (const auto& [span, match] : parts)
            if (!match) keep(span, out);
        return;
    case Behavior::Isolated:
        for (const auto& part : parts) keep(part.first, out);
        return;
    default:
        break;
    }
    const bool backwards = behavior == Behavior::MergedWithNext;
    if (backwards) std::reverse(parts.begin(), parts.end());
    std::vector<Span> folded;
    bool previous = false;
    for (const auto& [span, match] : parts) {
        const bool joins = behavior == Behavior::Contiguous ? match == previous : match && !previous;
        previous = match;
        if (!joins || folded.empty())
            folded.push_back(span);
        else if (backwards)
            folded.back().begin = span.begin;
        else
            folded.back().end = span.end;
    }
    if (backwards) std::reverse(folded.begin(), folded.end());
    for (const Span& span : folded) keep(span, out);
}

// Rebuilds the text piece by piece; write(index, piece, out) appends the new piece.
template<class Write> void rewrite(Pieces& pieces, Write write) {
    pieces.otherText.clear();
    pieces.otherText.reserve(pieces.text.size() * 2 + 8);
    for (size_t i = 0; i < pieces.spans.size(); ++i) {
        Span& span = pieces.spans[i];
        const size_t begin = pieces.otherText.size();
        write(i, std::string_view(pieces.text).substr(span.begin, span.end - span.begin), pieces.otherText);
        span = {begin, pieces.otherText.size()};
    }
    pieces.text.swap(pieces.otherText);
}

void metaspaceText(Pieces& pieces, const PreTokenizerStep& step) {
    rewrite(pieces, [&](size_t i, std::string_view piece, std::string& out) {
        const bool wanted = step.scheme == PrependScheme::Always || (step.scheme == PrependScheme::First && i == 0 && pieces.startsText);
        if (wanted && !piece.starts_with(' ') && !piece.starts_with(step.replacement)) out += step.replacement;
        for (const char c : piece) {
            if (c == ' ')
                out += step.replacement;
            else
                out += c;
        }
    });
}

} // namespace

Result<PreTokenizer> PreTokenizer::make(const std::vector<PreTokenizerStep>& steps, std::vector<std::string>& warnings) {
    PreTokenizer made;
    for (const PreTokenizerStep& step : steps) {
        Step next{step, {}};
        std::string_view source;
        if (step.kind == Kind::ByteLevel && step.useRegex)
            source = kGpt2;
        else if (step.kind == Kind::Whitespace)
            source = kWords;
        else if (step.kind == Kind::Split && step.pattern.regex)
            source = step.pattern.text;
        if (!source.empty()) {
            QW_TRY(Regex regex, Regex::compile(source, warnings));
            next.regex.push_back(std::move(regex));
        }
        made.m_steps.push_back(std::move(next));
    }
    made.m_endsInBytes = !steps.empty() && steps.back().kind == Kind::ByteLevel;
    return made;
}

// Absolute spans of what the step looks for in one piece.
bool PreTokenizer::find(const Step& step, Pieces& pieces, Span piece, std::string& failure) {
    const std::string& text = pieces.text;
    pieces.matches.clear();
    switch (step.what.kind) {
    case Kind::Metaspace:
        findLiteral(text, piece, step.what.replacement, pieces.matches);
        return true;
    case Kind::Digits:
        findCharacters(text, piece, isNumeric, pieces.matches);
        return true;
    case Kind::Punctuation:
        findCharacters(text, piece, isPunctuation, pieces.matches);
        return true;
    case Kind::WhitespaceSplit:
        findCharacters(text, piece, isUnicodeSpace, pieces.matches);
        return true;
    default:
        break;
    }
    if (step.regex.empty()) {
        findLiteral(text, piece, step.what.pattern.text, pieces.matches);
        return true;
    }
    if (!step.regex[0].findAll(std::string_view(text).substr(piece.begin, piece.end - piece.begin), pieces.matches, failure)) return false;
    for (Span& match : pieces.matches) {
        match.begin += piece.begin;
        match.end += piece.begin;
    }
    return true;
}

bool PreTokenizer::split(const Step& step, Pieces& pieces, std::string& failure) {
    const PreTokenizerStep& what = step.what;
    Behavior behavior = what.behavior;
    if (what.kind == Kind::ByteLevel) behavior = Behavior::Isolated;
    if (what.kind == Kind::Metaspace) behavior = Behavior::MergedWithNext;
    if (what.kind == Kind::WhitespaceSplit || what.kind == Kind::CharDelimiterSplit || what.kind == Kind::Whitespace)
        behavior = Behavior::Removed;
    const bool invert = what.invert || what.kind == Kind::Whitespace;
    const size_t start = pieces.spans.empty() ? 0 : pieces.spans[0].begin;
    pieces.otherSpans.clear();
    for (const Span& piece : pieces.spans) {
        if (!find(step, pieces, piece, failure)) return false;
        pieces.parts.clear();
        partsFromMatches(piece, pieces.matches, invert, pieces.parts);
        applyBehavior(pieces.parts, behavior, pieces.otherSpans);
    }
    pieces.spans.swap(pieces.otherSpans);
    pieces.startsText = pieces.startsText && !pieces.spans.empty() && pieces.spans[0].begin == start;
    return true;
}

bool PreTokenizer::run(Pieces& pieces, bool rawBytes, std::string& failure) const {
    pieces.spans.clear();
    if (!pieces.text.empty()) pieces.spans.push_back({0, pieces.text.size()});
    for (const Step& step : m_steps) {
        const PreTokenizerStep& what = step.what;
        if (what.kind == Kind::ByteLevel && what.addPrefixSpace)
            rewrite(pieces, [](size_t, std::string_view piece, std::string& out) {
                if (!piece.starts_with(' ')) out += ' ';
                out += piece;
            });
        if (what.kind == Kind::Metaspace) metaspaceText(pieces, what);
        const bool splits = (what.kind != Kind::ByteLevel || what.useRegex) && (what.kind != Kind::Metaspace || what.split);
        if (splits && !split(step, pieces, failure)) return false;
        if (what.kind == Kind::ByteLevel && !(rawBytes && &step == &m_steps.back()))
            rewrite(pieces, [](size_t, std::string_view piece, std::string& out) { appendMappedBytes(out, piece); });
    }
    return true;
}

} // namespace qw::tokenizer
