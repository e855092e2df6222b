// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/batches.h"
#include "data/documents.h"
#include "data/packing.h"
#include "data/permutation.h"
#include "data/token_cache.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/files.h"

#include <algorithm>
#include <cmath>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace qw::data {
namespace {

using records::DataBlock;
using records::DataSource;

constexpr int kCacheVersion = 1;
constexpr int64_t kPollDocuments = 1000;

struct FileStamp {
    std::string path;
    int64_t size = 0, mtimeNs = 0;
};

Result<FileStamp> stampOf(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
        Error error = errnoError(errno, "open", path);
        if (error.code == "file.not_found") error.hint = "check data.train and data.eval";
        return error;
    }
    if (!S_ISREG(info.st_mode))
        return Error{"data.unreadable", path + ": not a regular file", "name one file; several files are several entries", {}, false};
    return FileStamp{path, info.st_size, int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

// XXH3-128 of the first and the last MiB: with size and mtime enough to notice another file without reading all of it.
Result<std::string> endsDigest(const FileStamp& stamp) {
    constexpr int64_t kPart = 1 << 20;
    const int fd = ::open(stamp.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errnoError(errno, "open", stamp.path);
    std::string bytes(static_cast<size_t>(std::min(kPart, stamp.size)), '\0');
    Xxh3 hash;
    for (const int64_t at : {int64_t{0}, std::max<int64_t>(0, stamp.size - kPart)}) {
        const ssize_t n = ::pread(fd, bytes.data(), bytes.size(), at);
        if (n < 0) {
            ::close(fd);
            return errnoError(errno, "read", stamp.path);
        }
        hash.add(bytes.data(), static_cast<size_t>(n));
    }
    ::close(fd);
    return hash.hex();
}

// Everything the tokens depend on, as one JSON text; its hash names the cache file.
Result<std::string> cacheHeader(const std::vector<DataSource>& sources, const std::vector<FileStamp>& stamps, const DataBlock& options,
                                const tokenizer::Tokenizer& tokenizer) {
    nlohmann::json list = nlohmann::json::array();
    for (size_t i = 0; i < sources.size(); ++i) {
        QW_TRY(const std::string ends, endsDigest(stamps[i]));
        const DataSource& s = sources[i];
        list.push_back({{"path", s.path},
                        {"size", stamps[i].size},
                        {"mtime_ns", stamps[i].mtimeNs},
                        {"xxh3_ends", ends},
                        {"format", s.format},
                        {"column", s.column},
                        {"document", s.document},
                        {"split_range", s.splitRange},
                        {"max_samples", s.maxSamples}});
    }
    return nlohmann::json{{"version", kCacheVersion},
                          {"tokenizer", tokenizer.digest()},
                          {"add_bos", options.addBos},
                          {"add_eos", options.addEos},
                          {"match_specials", options.matchSpecials},
                          {"max_bad", options.maxBad},
                          {"sources", list}}
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Reads and tokenises all sources into one stream.
class Builder {
public:
    Builder(const DataBlock& options, const tokenizer::Tokenizer& tokenizer, const wire::Sink& sink, const CancelToken* cancel)
        : m_options(options), m_tokenizer(tokenizer), m_sink(sink), m_cancel(cancel) {
        const tokenizer::SpecialIds& ids = tokenizer.specials();
        if (options.addBos && ids.bos) m_front.push_back(static_cast<uint32_t>(*ids.bos));
        if (options.addEos && !ids.eos.empty()) m_back.push_back(static_cast<uint32_t>(ids.eos[0]));
        if (options.addEos && ids.eos.empty())
            warn("data.no_eos", "data.add_eos is on, but the tokenizer names no EOS token: documents end without one",
                 "name eos_token in tokenizer_config.json");
    }

    Result<TokenStream> run(const std::vector<DataSource>& sources, const std::vector<FileStamp>& stamps) {
        for (const FileStamp& stamp : stamps) m_total += stamp.size;
        for (size_t i = 0; i < sources.size(); ++i) {
            QW_CHECK(source(sources[i]));
            m_before += stamps[i].size;
        }
        report(m_total, true);
        return TokenStream::make(std::move(m_offsets), std::move(m_tokens), std::move(m_facts));
    }

private:
    Status source(const DataSource& source) {
        int64_t first = 0, last = INT64_MAX;
        if (source.splitRange[0] > 0 || source.splitRange[1] < 1) { // shares of the documents: count them first
            QW_TRY(const ReadFacts all, readDocuments(source, m_options.maxBad, [&](const std::string&, int64_t) { return poll(); }));
            first = std::llround(source.splitRange[0] * static_cast<double>(all.documents));
            last = std::llround(source.splitRange[1] * static_cast<double>(all.documents));
        }
        if (source.maxSamples > 0) last = std::min(last, first + source.maxSamples);
        const size_t documents = m_offsets.size();
        int64_t index = 0;
        QW_TRY(const ReadFacts facts, readDocuments(source, m_options.maxBad, [&](const std::string& text, int64_t done) -> Status {
                   QW_CHECK(poll());
                   report(m_before + done, false);
                   const int64_t i = index++;
                   return i >= first && i < last ? document(source, text, i) : Status{};
               }));
        m_facts.badLines += facts.badLines;
        if (facts.badLines > 0)
            warn("data.bad_lines",
                 std::to_string(facts.badLines) + " of " + std::to_string(facts.lines) + " lines of " + source.path +
                     " are malformed and were skipped",
                 {});
        if (m_offsets.size() == documents)
            return Error{"data.empty", source.path + " has not one usable token", "check the file, split_range and max_samples", {}, false};
        m_facts.documentsPerSource.push_back(static_cast<int64_t>(m_offsets.size() - documents));
        return {};
    }

    Status document(const DataSource& source, const std::string& text, int64_t index) {
        const tokenizer::Encoded encoded = m_tokenizer.encode(text, {.addSpecial = false, .matchSpecials = m_options.matchSpecials});
        if (!encoded.failure.empty())
            return Error{"data.unreadable",
                         source.path + ": document " + std::to_string(index) + ": " + encoded.failure,
                         "leave the document out",
                         {},
                         false};
        m_facts.unknownTokens += encoded.unknown;
        m_facts.droppedScalars += encoded.dropped;
        if (encoded.ids.empty()) {
            ++m_facts.emptyDocuments;
            return {};
        }
        m_tokens.insert(m_tokens.end(), m_front.begin(), m_front.end());
        m_tokens.insert(m_tokens.end(), encoded.ids.begin(), encoded.ids.end());
        m_tokens.insert(m_tokens.end(), m_back.begin(), m_back.end());
        m_offsets.push_back(m_tokens.size());
        return {};
    }

    Status poll() {
        if (++m_seen % kPollDocuments != 0 || !m_cancel || m_cancel->level() < CancelLevel::StopAtStep) return {};
        return Error{"engine.cancelled", "stopped while reading the data", {}, {}, true};
    }
    void report(int64_t done, bool always) {
        const int64_t now = monotonicNs();
        if (!m_sink || (!always && now - m_lastReport < 200'000'000)) return;
        m_lastReport = now;
        m_sink(wire::Progress{"tokenise", "bytes", std::min(done, m_total), m_total, -1});
    }
    void warn(std::string code, std::string message, std::string hint) const {
        if (m_sink) m_sink(wire::Notice{false, std::move(code), std::move(message), std::move(hint), {}});
    }

    const DataBlock& m_options;
    const tokenizer::Tokenizer& m_tokenizer;
    const wire::Sink& m_sink;
    const CancelToken* m_cancel;
    std::vector<uint32_t> m_front, m_back, m_tokens;
    std::vector<uint64_t> m_offsets{0};
    StreamFacts m_facts;
    int64_t m_total = 0, m_before = 0, m_seen = 0, m_lastReport = 0;
};

Error tooLong(const std::vector<DataSource>& sources, const TokenStream& stream, int64_t document, int64_t seqLen) {
    const auto at = static_cast<size_t>(document);
    const uint64_t tokens = stream.offsets()[at + 1] - stream.offsets()[at];
    size_t source = 0;
    while (source + 1 < sources.size() && document >= stream.facts().documentsPerSource[source])
        document -= stream.facts().documentsPerSource[source++];
    return {"config.conflict",
            "document " + std::to_string(document) + " of " + sources[source].path + " has " + std::to_string(tokens) +
                " tokens, seq_len is " + std::to_string(seqLen) + " and data.excess is error",
            "set data.excess to split, truncate or drop",
            {},
            false};
}

} // namespace

struct Dataset::State {
    TokenStream stream;
    Packed packed;
    Counts counts;
    std::string digest;
    std::vector<FileStamp> stamps;
    bool documentMask = true;
    int64_t padId = 0;
};

Result<Dataset> Dataset::build(const std::vector<DataSource>& sources, const DataBlock& options, const tokenizer::Tokenizer& tokenizer,
                               const std::filesystem::path& cacheDir, const wire::Sink& progress, const CancelToken* cancel) {
    auto state = std::make_shared<State>();
    if (sources.empty()) return Error{"data.empty", "the recipe names no data files", "add entries to data.train", {}, false};
    if (options.seqLen < 2) return Error{"config.invalid", "data.seq_len must be at least 2", {}, {}, false};
    for (const DataSource& source : sources) {
        QW_TRY(FileStamp stamp, stampOf(source.path));
        state->stamps.push_back(std::move(stamp));
    }
    QW_TRY(const std::string header, cacheHeader(sources, state->stamps, options, tokenizer));
    const std::filesystem::path file = cacheDir / (xxh3Hex(header) + ".tok");
    if (auto cached = cacheDir.empty() ? std::nullopt : TokenStream::open(file, header))
        state->stream = std::move(*cached);
    else {
        QW_TRY(state->stream, Builder(options, tokenizer, progress, cancel).run(sources, state->stamps));
        // The cache saves time only: training goes on from memory when it cannot be written.
        if (const Status saved = cacheDir.empty() ? Status{} : state->stream.save(file, header); !saved && progress)
            progress(wire::Notice{
                false, saved.error().code, "the token cache was not written: " + saved.error().message, saved.error().hint, {}});
    }
    const StreamFacts& facts = state->stream.facts();
    state->packed = pack(state->stream.offsets(), {options.packing, options.excess, options.seqLen, options.packWindow});
    if (state->packed.tooLong >= 0) return tooLong(sources, state->stream, state->packed.tooLong, options.seqLen);
    const auto rows = static_cast<int64_t>(state->packed.rowStart.size()) - 1;
    if (rows == 0)
        return Error{"data.empty",
                     "every document is longer than seq_len " + std::to_string(options.seqLen),
                     "set data.excess to split or truncate",
                     {},
                     false};
    const auto documents = static_cast<int64_t>(state->stream.offsets().size()) - 1;
    state->counts = {documents,
                     0,
                     rows,
                     state->packed.dropped + facts.emptyDocuments,
                     state->packed.truncated,
                     facts.badLines,
                     facts.unknownTokens,
                     facts.droppedScalars};
    for (const Segment& segment : state->packed.segments) state->counts.tokens += segment.length;
    state->documentMask = options.documentMask;
    const tokenizer::SpecialIds& ids = tokenizer.specials();
    state->padId = ids.pad ? *ids.pad : ids.eos.empty() ? 0 : ids.eos[0];
    state->digest =
        xxh3Hex(facts.digest + "|" + tokenizer.digest() + "|" + options.packing + "|" + options.excess + "|" +
                std::to_string(options.seqLen) + "|" + std::to_string(options.packWindow) + "|" + std::to_string(options.documentMask));
    Dataset dataset;
    dataset.m_state = std::move(state);
    return dataset;
}

int64_t Dataset::rows() const { return m_state->counts.rows; }
const Counts& Dataset::counts() const { return m_state->counts; }
const std::string& Dataset::digest() const { return m_state->digest; }
int64_t Dataset::permuted(uint64_t seed, int64_t epoch, int64_t index) const { return permute(seed, epoch, rows(), index); }

Status Dataset::checkUnchanged() const {
    for (const FileStamp& then : m_state->stamps) {
        const auto now = stampOf(then.path);
        if (!now || now->size != then.size || now->mtimeNs != then.mtimeNs)
            return Error{"data.changed",
                         then.path + (now ? " was changed since this run read it" : " is gone since this run read it"),
                         "put the file back, or start a new run",
                         {},
                         false};
    }
    return {};
}

MicroBatch Dataset::batch(std::span<const int64_t> rows, int64_t seqLen, int64_t padMultiple) const {
    const State& s = *m_state;
    const auto segmentsOf = [&](int64_t row) {
        const auto r = static_cast<size_t>(row);
        const auto begin = static_cast<size_t>(s.packed.rowStart[r]), end = static_cast<size_t>(s.packed.rowStart[r + 1]);
        return std::span(s.packed.segments).subspan(begin, end - begin);
    };
    MicroBatch out;
    out.rows = static_cast<int64_t>(rows.size());
    for (const int64_t row : rows) {
        int64_t length = 0;
        for (const Segment& segment : segmentsOf(row)) length += segment.length;
        out.length = std::max(out.length, length);
    }
    const int64_t multiple = std::max<int64_t>(padMultiple, 1);
    out.length = std::max(out.length, std::min(seqLen, (out.length + multiple - 1) / multiple * multiple));
    out.ids.assign(static_cast<size_t>(out.rows * out.length), s.padId);
    out.labels.assign(out.ids.size(), kIgnore);
    const auto tokens = s.stream.tokens();
    for (size_t r = 0; r < rows.size(); ++r) {
        size_t at = r * static_cast<size_t>(out.length);
        std::vector<int64_t> starts;
        for (const Segment& segment : segmentsOf(rows[r])) {
            starts.push_back(static_cast<int64_t>(at) - static_cast<int64_t>(r) * out.length);
            for (int64_t i = segment.begin; i < segment.begin + segment.length; ++i, ++at) {
                out.ids[at] = tokens[static_cast<size_t>(i)];
                if (i + 1 == segment.documentEnd) continue;
                out.labels[at] = tokens[static_cast<size_t>(i) + 1];
                ++out.validLabels;
            }
            out.tokens += segment.length;
        }
        const auto filled = static_cast<int64_t>(at) - static_cast<int64_t>(r) * out.length;
        if (filled < out.length) starts.push_back(filled); // padding attends to itself only
        if (!s.documentMask) starts = {0};
        out.starts.push_back(std::move(starts));
    }
    return out;
}

Result<std::string> sourcesDigest(const std::vector<DataSource>& sources) {
    Xxh3 all;
    for (const DataSource& source : sources) {
        QW_TRY(const std::string content, xxh3File(source.path));
        all.add(content + nlohmann::json{source.format, source.column, source.document, source.splitRange, source.maxSamples}.dump(
                              -1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    return all.hex();
}

} // namespace qw::data
