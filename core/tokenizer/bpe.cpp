// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/bpe.h"

#include "base/utf8.h"
#include "tokenizer/alphabet.h"
#include "tokenizer/bpe_merge.h"

#include <array>
#include <atomic>
#include <cstring>
#include <unordered_map>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace qw::tokenizer {
namespace {

constexpr std::string_view kMetaspace = "\xE2\x96\x81"; // U+2581
constexpr uint32_t kDirect = 0x2600;                    // code points below have a direct table; U+2581 is among them

// Pieces and their ids, direct-mapped, per thread. Only short pieces without unknowns: they are nearly all of them.
class PieceCache {
public:
    static constexpr size_t kSlots = 1 << 14, kMaxBytes = 31, kMaxIds = 8;
    struct Slot {
        uint8_t length = 0, count = 0; // length 0: empty slot
        char piece[kMaxBytes];
        int32_t ids[kMaxIds];
    };

    static Slot& slot(uint64_t owner, std::string_view piece) {
        thread_local PieceCache cache;
        if (cache.m_owner != owner) {
            cache.m_slots.assign(kSlots, {});
            cache.m_owner = owner;
        }
        return cache.m_slots[XXH3_64bits(piece.data(), piece.size()) & (kSlots - 1)];
    }
    static bool holds(const Slot& slot, std::string_view piece) {
        return slot.length == piece.size() && std::memcmp(slot.piece, piece.data(), piece.size()) == 0;
    }
    static void keep(Slot& slot, std::string_view piece, const std::vector<int32_t>& ids) {
        if (ids.size() > kMaxIds) return;
        slot.length = static_cast<uint8_t>(piece.size());
        slot.count = static_cast<uint8_t>(ids.size());
        std::memcpy(slot.piece, piece.data(), piece.size());
        std::copy(ids.begin(), ids.end(), slot.ids);
    }

private:
    uint64_t m_owner = 0;
    std::vector<Slot> m_slots;
};

uint64_t newOwner() {
    static std::atomic<uint64_t> last{0};
    return ++last;
}

} // namespace

struct Bpe::Tables {
    uint64_t owner = newOwner(); // names this vocabulary in the piece cache
    std::vector<std::string> tokens;
    std::vector<int32_t> ids;                              // of tokens
    std::unordered_map<std::string_view, int32_t> idOf;    // keys point into tokens
    std::unordered_map<int32_t, uint32_t> indexOf;         // id -> index in tokens
    std::vector<std::string> rawTokens;                    // byte mode: tokens as bytes
    std::unordered_map<std::string_view, int32_t> rawIdOf; // byte mode, for ignore_merges
    std::array<int32_t, 256> byteId{};                     // byte mode: of the byte's character
    std::array<int32_t, 256> fallbackId{};                 // <0xHH>, or -1
    std::vector<int32_t> direct;                           // code point -> id, or -1
    MergeTable merges;
    bool bytes = false, ignoreMerges = false, fuseUnk = false, byteFallback = false, hasUnk = false, cutAtMetaspace = false;
    int32_t unkId = -1, highest = -1;
    std::string prefix, suffix;

    [[nodiscard]] int32_t find(std::string_view token) const {
        const auto it = idOf.find(token);
        return it == idOf.end() ? -1 : it->second;
    }
    void symbols(std::string_view piece, std::vector<int32_t>& out, BpeCounts& counts) const;
    [[nodiscard]] int32_t symbolId(std::string_view scalar, uint32_t codePoint, bool first, bool last, std::string& whole) const;
    void setUpVocabulary(const BpeModel& model);
    Status setUpMerges(const BpeModel& model, const std::string& name);
};

void Bpe::Tables::setUpVocabulary(const BpeModel& model) {
    tokens.reserve(model.vocab.size());
    for (const auto& [token, id] : model.vocab) {
        tokens.push_back(token);
        ids.push_back(id);
        highest = std::max(highest, id);
    }
    idOf.reserve(tokens.size());
    indexOf.reserve(tokens.size());
    direct.assign(kDirect, -1);
    for (size_t i = 0; i < tokens.size(); ++i) {
        idOf.emplace(tokens[i], ids[i]);
        indexOf.emplace(ids[i], static_cast<uint32_t>(i));
        size_t end = 0;
        if (tokens[i].empty()) continue;
        const uint32_t c = nextCodePoint(tokens[i], end);
        if (end == tokens[i].size() && c < kDirect) direct[c] = ids[i];
    }
    static constexpr char kHex[] = "0123456789ABCDEF";
    for (size_t b = 0; b < 256; ++b) {
        fallbackId[b] = find(std::string("<0x") + kHex[b >> 4] + kHex[b & 15] + '>');
        byteId[b] = find(byteAlphabet()[b]);
    }
    prefix = model.continuingSubwordPrefix;
    suffix = model.endOfWordSuffix;
    ignoreMerges = model.ignoreMerges;
    fuseUnk = model.fuseUnk;
    byteFallback = model.byteFallback;
    hasUnk = model.unkToken.has_value();
    if (hasUnk) unkId = find(*model.unkToken);
}

Status Bpe::Tables::setUpMerges(const BpeModel& model, const std::string& name) {
    merges.reserve(model.merges.size());
    cutAtMetaspace = prefix.empty() && suffix.empty() && find(kMetaspace) >= 0;
    for (size_t rank = 0; rank < model.merges.size(); ++rank) {
        const auto& [left, right] = model.merges[rank];
        if (!prefix.empty() && right.size() < prefix.size())
            return Error{
                "file.corrupt", name + ": merge " + std::to_string(rank) + " is shorter than continuing_subword_prefix", {}, {}, false};
        const std::string whole = left + right.substr(prefix.size());
        const int32_t a = find(left), b = find(right), merged = find(whole);
        for (const auto& [id, text] : {std::pair{a, &left}, std::pair{b, &right}, std::pair{merged, &whole}})
            if (id < 0)
                return Error{"file.corrupt",
                             name + ": merge " + std::to_string(rank) + " ('" + left + "' + '" + right + "') needs '" + *text +
                                 "', which is not in the vocabulary",
                             "the file is damaged: fetch it again",
                             {},
                             false};
        merges.set(a, b, {static_cast<uint32_t>(rank), merged});
        // A ▁ inside a merged token that follows something else: a merge may then reach over a word's start.
        for (size_t at = whole.find(kMetaspace, 1); cutAtMetaspace && at != std::string::npos; at = whole.find(kMetaspace, at + 1))
            if (!std::string_view(whole).substr(0, at).ends_with(kMetaspace)) cutAtMetaspace = false;
    }
    return {};
}

Result<Bpe> Bpe::make(const BpeModel& model, bool bytePieces, const std::string& name) {
    auto tables = std::make_shared<Tables>();
    tables->setUpVocabulary(model);
    QW_CHECK(tables->setUpMerges(model, name));
    bool all = bytePieces && tables->prefix.empty() && tables->suffix.empty();
    for (const int32_t id : tables->byteId) all = all && id >= 0;
    tables->bytes = all;
    if (all && model.ignoreMerges) {
        tables->rawTokens.resize(tables->tokens.size());
        for (size_t i = 0; i < tables->tokens.size(); ++i)
            if (unmapBytes(tables->tokens[i], tables->rawTokens[i])) tables->rawIdOf.emplace(tables->rawTokens[i], tables->ids[i]);
    }
    Bpe bpe;
    bpe.m_tables = std::move(tables);
    return bpe;
}

int32_t Bpe::Tables::symbolId(std::string_view scalar, uint32_t codePoint, bool first, bool last, std::string& whole) const {
    if (prefix.empty() && suffix.empty()) {
        whole.assign(scalar);
        return codePoint < kDirect ? direct[codePoint] : find(scalar);
    }
    whole.clear();
    if (!first) whole += prefix;
    whole += scalar;
    if (last) whole += suffix;
    return find(whole);
}

// A piece's characters as ids. An unknown is written only before the next known character (byte tokens overtake it), as in tokenizers.
void Bpe::Tables::symbols(std::string_view piece, std::vector<int32_t>& out, BpeCounts& counts) const {
    std::string whole;
    bool pending = false;
    for (size_t i = 0; i < piece.size();) {
        const size_t from = i;
        const uint32_t c = nextCodePoint(piece, i);
        const int32_t id = symbolId(piece.substr(from, i - from), c, from == 0, i == piece.size(), whole);
        if (id >= 0) {
            if (pending) out.push_back(unkId);
            pending = false;
            out.push_back(id);
            continue;
        }
        if (byteFallback) {
            bool all = true;
            for (const char b : whole) all = all && fallbackId[static_cast<uint8_t>(b)] >= 0;
            if (all) {
                for (const char b : whole) out.push_back(fallbackId[static_cast<uint8_t>(b)]);
                continue;
            }
        }
        if (!hasUnk || unkId < 0) {
            ++counts.dropped;
            counts.unkMissing = counts.unkMissing || hasUnk;
            continue;
        }
        ++counts.unknown;
        if (pending && !fuseUnk) out.push_back(unkId);
        pending = true;
    }
    if (pending) out.push_back(unkId);
}

void Bpe::encode(std::string_view piece, std::vector<int32_t>& ids, BpeCounts& counts) const {
    const Tables& t = *m_tables;
    if (piece.empty()) return;
    const bool cached = piece.size() <= PieceCache::kMaxBytes;
    PieceCache::Slot* slot = nullptr;
    if (cached) {
        slot = &PieceCache::slot(t.owner, piece);
        if (PieceCache::holds(*slot, piece)) {
            ids.insert(ids.end(), slot->ids, slot->ids + slot->count);
            return;
        }
    }
    thread_local std::vector<int32_t> word;
    word.clear();
    const auto& whole = t.bytes ? t.rawIdOf : t.idOf;
    BpeCounts own;
    if (const auto hit = t.ignoreMerges ? whole.find(piece) : whole.end(); hit != whole.end())
        word.push_back(hit->second);
    else {
        if (t.bytes)
            for (const char b : piece) word.push_back(t.byteId[static_cast<uint8_t>(b)]);
        else
            t.symbols(piece, word, own);
        mergeAll(word, t.merges);
    }
    if (slot && own.dropped == 0 && own.unknown == 0) PieceCache::keep(*slot, piece, word);
    counts.dropped += own.dropped;
    counts.unknown += own.unknown;
    counts.unkMissing = counts.unkMissing || own.unkMissing;
    ids.insert(ids.end(), word.begin(), word.end());
}

bool Bpe::bytes() const { return m_tables->bytes; }
std::string_view Bpe::cutBefore() const { return m_tables->cutAtMetaspace && !m_tables->ignoreMerges ? kMetaspace : std::string_view(); }
int32_t Bpe::id(std::string_view token) const { return m_tables->find(token); }
const std::string* Bpe::token(int32_t id) const {
    const auto it = m_tables->indexOf.find(id);
    return it == m_tables->indexOf.end() ? nullptr : &m_tables->tokens[it->second];
}
int64_t Bpe::size() const { return static_cast<int64_t>(m_tables->tokens.size()); }
int32_t Bpe::highestId() const { return m_tables->highest; }

} // namespace qw::tokenizer
