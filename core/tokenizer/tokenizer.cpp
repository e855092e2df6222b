// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/tokenizer.h"

#include "base/digest.h"
#include "base/files.h"
#include "base/utf8.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/bpe.h"
#include "tokenizer/decoders.h"
#include "tokenizer/normalizers.h"
#include "tokenizer/pre_tokenizers.h"
#include "tokenizer/specials.h"

#include <algorithm>
#include <unordered_map>

namespace qw::tokenizer {
namespace {

constexpr size_t kMaxText = size_t{1} << 31; // positions inside a piece are 32 bits

} // namespace

struct Tokenizer::State {
    Normalizer normalizer;
    PreTokenizer preTokenizer;
    std::optional<Bpe> bpe;
    Decoder decoder;
    AddedTokens rawTokens, normalizedTokens; // looked for before and after normalising
    std::unordered_map<int32_t, AddedToken> addedById;
    std::unordered_map<std::string, int32_t> addedIds;
    std::vector<Template> templates;
    SpecialIds specials;
    LoadReport report;
    std::string digest;
    std::string unkToken;
    int64_t vocabSize = 0;
    bool addsBos = false;

    [[nodiscard]] int32_t idOf(const std::string& token) const {
        const auto it = addedIds.find(token);
        return it != addedIds.end() ? it->second : bpe->id(token);
    }
    [[nodiscard]] bool exists(int32_t id) const { return addedById.contains(id) || bpe->token(id); }
    Status setUp(const Pipeline& pipeline, const std::string& name);
    Status setUpSpecials(const std::filesystem::path& dir);
    [[nodiscard]] bool encodeText(std::string_view text, const EncodeOptions& options, Encoded& out) const;
    [[nodiscard]] bool encodeSegment(Pieces& pieces, std::vector<int32_t>& ids, BpeCounts& counts, std::string& failure) const;
    [[nodiscard]] std::vector<int32_t> wrap(std::vector<int32_t> ids) const;
};

Status Tokenizer::State::setUp(const Pipeline& pipeline, const std::string& name) {
    report.components = pipeline.components;
    report.warnings = pipeline.warnings;
    const auto located = [&](auto result) {
        if (!result) result = std::move(result.error()).at(name);
        return result;
    };
    QW_TRY(normalizer, located(Normalizer::make(pipeline.normalizers, report.warnings)));
    QW_TRY(preTokenizer, located(PreTokenizer::make(pipeline.preTokenizers, report.warnings)));
    QW_TRY(decoder, located(Decoder::make(pipeline, report.warnings)));
    QW_TRY(bpe, Bpe::make(pipeline.model, preTokenizer.endsInBytes(), name));
    templates = pipeline.templates;
    unkToken = pipeline.model.unkToken.value_or("");
    vocabSize = int64_t{bpe->highestId()} + 1;
    std::string ignored;
    for (const bool special : {true, false}) // specials first: they win between equal patterns
        for (const AddedToken& token : pipeline.addedTokens) {
            if (token.special != special) continue;
            std::string content = token.content;
            if (token.normalized && !normalizer.run(content, ignored)) content = token.content;
            (token.normalized ? normalizedTokens : rawTokens).add(token, content);
        }
    for (const AddedToken& token : pipeline.addedTokens) {
        AddedToken shown = token;
        if (token.normalized && !normalizer.run(shown.content, ignored)) shown.content = token.content; // decodes to its normalised form
        addedById.emplace(token.id, std::move(shown));
        addedIds.emplace(token.content, token.id);
        vocabSize = std::max<int64_t>(vocabSize, int64_t{token.id} + 1);
    }
    for (const Template& one : templates)
        for (const TemplatePiece& piece : one)
            for (const int32_t id : piece.ids)
                if (!exists(id))
                    return Error{"file.corrupt",
                                 name + ": the post-processor adds id " + std::to_string(id) + ", which is not in the vocabulary",
                                 {},
                                 {},
                                 false};
    return {};
}

Status Tokenizer::State::setUpSpecials(const std::filesystem::path& dir) {
    QW_TRY(SpecialFiles found, readSpecials(
                                   dir, [&](const std::string& token) { return idOf(token); }, [&](int32_t id) { return exists(id); }));
    specials = std::move(found.ids);
    if (!specials.unk && !unkToken.empty() && idOf(unkToken) >= 0) specials.unk = idOf(unkToken);
    for (std::string& note : found.notes) report.components.push_back("special: " + std::move(note));
    for (std::string& warning : found.warnings) report.warnings.push_back(std::move(warning));
    const std::vector<int32_t> around = wrap({});
    addsBos = !around.empty() && specials.bos && around.front() == *specials.bos;
    const bool addsEos = !around.empty() && std::find(specials.eos.begin(), specials.eos.end(), around.back()) != specials.eos.end() &&
                         !(addsBos && around.size() == 1);
    // tokenizers.md 7: the post-processor alone decides.
    const auto compare = [&](std::optional<bool> asked, bool does, const char* what, const char* key) {
        if (!asked || *asked == does) return;
        report.warnings.push_back(std::string("tokenizer_config.json says ") + key + " " + (*asked ? "true" : "false") +
                                  ", but the post-processor of tokenizer.json adds " + (does ? "" : "no ") + what +
                                  "; tokenizer.json decides, 'bos: on' or 'off' forces it");
    };
    compare(found.addBos, addsBos, "BOS", "add_bos_token");
    compare(found.addEos, addsEos, "EOS", "add_eos_token");
    return {};
}

Result<Tokenizer> Tokenizer::load(const std::filesystem::path& path) {
    std::error_code code;
    const auto dir = std::filesystem::is_regular_file(path, code) ? path.parent_path() : path; // a GGUF file has its tokenizer beside it
    Xxh3 digest;
    QW_TRY(const Pipeline pipeline, loadPipeline(dir, digest));
    auto state = std::make_shared<State>();
    QW_CHECK(state->setUp(pipeline, (dir / "tokenizer.json").string()));
    QW_CHECK(state->setUpSpecials(dir));
    std::string ids = "|";
    for (const auto& id : {state->specials.bos, state->specials.pad, state->specials.unk}) ids += (id ? std::to_string(*id) : "-") + "|";
    for (const int32_t id : state->specials.eos) ids += std::to_string(id) + "|";
    digest.add(ids);
    state->digest = digest.hex();
    Tokenizer tokenizer;
    tokenizer.m_state = std::move(state);
    return tokenizer;
}

bool Tokenizer::State::encodeSegment(Pieces& pieces, std::vector<int32_t>& ids, BpeCounts& counts, std::string& failure) const {
    if (!preTokenizer.run(pieces, bpe->bytes(), failure)) return false;
    const std::string_view text = pieces.text, cut = bpe->cutBefore();
    for (const Span& span : pieces.spans) {
        const std::string_view piece = text.substr(span.begin, span.end - span.begin);
        size_t from = 0;
        // Words of a SentencePiece-style segment, one by one: no merge reaches over the cuts.
        for (size_t at = cut.empty() ? std::string_view::npos : piece.find(cut, 1); at != std::string_view::npos;
             at = piece.find(cut, at + cut.size())) {
            if (piece.substr(0, at).ends_with(cut)) continue;
            bpe->encode(piece.substr(from, at - from), ids, counts);
            from = at;
        }
        bpe->encode(piece.substr(from), ids, counts);
    }
    return true;
}

bool Tokenizer::State::encodeText(std::string_view text, const EncodeOptions& options, Encoded& out) const {
    thread_local Pieces pieces;
    BpeCounts counts;
    std::vector<AddedTokens::Part> outer, inner;
    rawTokens.find(text, options.matchSpecials, outer);
    std::string segment;
    for (const auto& part : outer) {
        if (part.id >= 0) {
            out.ids.push_back(part.id);
            continue;
        }
        segment.assign(text, part.begin, part.end - part.begin);
        if (!normalizer.run(segment, out.failure)) return false;
        inner.clear();
        normalizedTokens.find(segment, options.matchSpecials, inner);
        for (const auto& piece : inner) {
            if (piece.id >= 0) {
                out.ids.push_back(piece.id);
                continue;
            }
            pieces.text.assign(segment, piece.begin, piece.end - piece.begin);
            pieces.startsText = part.begin == 0 && piece.begin == 0;
            if (!encodeSegment(pieces, out.ids, counts, out.failure)) return false;
        }
    }
    out.dropped = counts.dropped;
    out.unknown = counts.unknown;
    if (counts.unkMissing) out.failure = "the text has an unknown character, and unk_token '" + unkToken + "' is not in the vocabulary";
    return out.failure.empty();
}

std::vector<int32_t> Tokenizer::State::wrap(std::vector<int32_t> ids) const {
    for (const Template& one : templates) {
        std::vector<int32_t> wrapped;
        for (const TemplatePiece& piece : one) {
            const std::vector<int32_t>& more = piece.text ? ids : piece.ids;
            wrapped.insert(wrapped.end(), more.begin(), more.end());
        }
        ids = std::move(wrapped);
    }
    return ids;
}

Encoded Tokenizer::encode(std::string_view utf8, const EncodeOptions& options) const {
    Encoded out;
    std::string repaired;
    if (utf8.size() >= kMaxText) {
        out.failure = "a text of 2 GiB or more cannot be encoded at once";
        return out;
    }
    if (firstInvalidUtf8(utf8)) {
        size_t replaced = 0;
        repaired = replaceInvalidUtf8(utf8, replaced);
        out.replaced = static_cast<int64_t>(replaced);
        utf8 = repaired;
    }
    if (!m_state->encodeText(utf8, options, out))
        out.ids.clear();
    else if (options.addSpecial && !m_state->templates.empty())
        out.ids = m_state->wrap(std::move(out.ids));
    return out;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skipSpecial) const {
    std::vector<std::string> tokens;
    for (const int32_t id : ids) {
        const auto added = m_state->addedById.find(id);
        if (added != m_state->addedById.end()) {
            if (!skipSpecial || !added->second.special) tokens.push_back(added->second.content);
        } else if (const std::string* token = m_state->bpe->token(id))
            tokens.push_back(*token);
    }
    return m_state->decoder.run(std::move(tokens));
}

const SpecialIds& Tokenizer::specials() const { return m_state->specials; }
const LoadReport& Tokenizer::report() const { return m_state->report; }
int64_t Tokenizer::vocabSize() const { return m_state->vocabSize; }
bool Tokenizer::addsBos() const { return m_state->addsBos; }
const std::string& Tokenizer::digest() const { return m_state->digest; }
std::string Tokenizer::token(int32_t id) const {
    const auto added = m_state->addedById.find(id);
    if (added != m_state->addedById.end()) return added->second.content;
    const std::string* token = m_state->bpe->token(id);
    return token ? *token : std::string();
}

} // namespace qw::tokenizer
