// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/documents.h"

#include "base/files.h"
#include "base/utf8.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>
#include <zlib.h>

namespace qw::data {
namespace {

constexpr size_t kMaxDocument = size_t{1} << 31; // bytes; the tokenizer takes no more at once

Error unreadable(const std::string& where, const std::string& what, const std::string& hint = {}) {
    return {"data.unreadable", where + ": " + what, hint, {}, false};
}

// zlib reads plain files as they are and gzipped ones unpacked.
class GzipFile {
public:
    static Result<GzipFile> open(const std::string& path) {
        GzipFile file;
        errno = 0;
        file.m_file.reset(gzopen(path.c_str(), "rb"));
        if (!file.m_file) {
            Error error = errnoError(errno, "open", path);
            if (error.code == "file.not_found") error.hint = "check data.train and data.eval";
            return error;
        }
        gzbuffer(file.m_file.get(), 1 << 17);
        file.m_path = path;
        file.m_buffer.resize(1 << 16);
        return file;
    }

    // The next line without its end; nothing at the end of the file.
    Result<std::optional<std::string>> line() {
        std::string out;
        bool any = false;
        while (true) {
            if (m_at == m_have) {
                QW_CHECK(fill());
                if (m_have == 0) break;
            }
            any = true;
            const char* begin = m_buffer.data() + m_at;
            const auto* end = static_cast<const char*>(std::memchr(begin, '\n', m_have - m_at));
            const size_t n = end ? static_cast<size_t>(end - begin) : m_have - m_at;
            out.append(begin, n);
            m_at += n + (end ? 1 : 0);
            m_offset += n + (end ? 1 : 0);
            if (out.size() >= kMaxDocument) return unreadable(m_path, "a line of 2 GiB or more");
            if (end) break;
        }
        if (!any) return std::optional<std::string>();
        return std::optional(std::move(out));
    }
    Result<std::string> rest() {
        std::string out;
        while (true) {
            QW_CHECK(fill());
            if (m_have == 0) return out;
            out.append(m_buffer.data(), m_have);
            if (out.size() >= kMaxDocument) return unreadable(m_path, "a document of 2 GiB or more", "cut it, or use 'document: line'");
        }
    }
    [[nodiscard]] int64_t done() const { return gzoffset(m_file.get()); }
    [[nodiscard]] size_t offset() const { return m_offset; } // unpacked bytes behind the last line

private:
    struct Close {
        void operator()(gzFile_s* file) const { gzclose(file); }
    };
    Status fill() {
        m_at = 0;
        m_have = 0;
        const int n = gzread(m_file.get(), m_buffer.data(), static_cast<unsigned>(m_buffer.size()));
        int code = Z_OK;
        const char* message = gzerror(m_file.get(), &code);
        // A gzip stream that ends early reads as a short file; zlib says so only here.
        if (n < 0 || code == Z_BUF_ERROR || code == Z_DATA_ERROR)
            return unreadable(m_path, code == Z_ERRNO ? std::string("read error") : "damaged gzip data (" + std::string(message) + ")",
                              "fetch the file again");
        m_have = static_cast<size_t>(n);
        return {};
    }

    std::unique_ptr<gzFile_s, Close> m_file;
    std::string m_path;
    std::vector<char> m_buffer;
    size_t m_at = 0, m_have = 0, m_offset = 0;
};

// A document of one line of the file, or why there is none.
struct Parsed {
    std::optional<std::string> text;
    std::string problem;
};

Parsed parseLine(std::string line, const records::DataSource& source, size_t lineStart) {
    if (const auto bad = firstInvalidUtf8(line))
        return {std::nullopt, "invalid UTF-8 at byte " + std::to_string(lineStart + *bad) + " of the file"};
    if (source.format == "text") return {std::move(line), {}};
    const nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
    if (object.is_discarded()) return {std::nullopt, "not valid JSON"};
    if (!object.is_object()) return {std::nullopt, "not a JSON object"};
    const auto value = object.find(source.column);
    if (value == object.end()) {
        std::string keys;
        for (const auto& [key, unused] : object.items()) keys += (keys.empty() ? "" : ", ") + key;
        return {std::nullopt, "no key '" + source.column + "' (there are: " + keys.substr(0, 200) + ")"};
    }
    if (!value->is_string()) return {std::nullopt, "'" + source.column + "' is not a text"};
    return {value->get<std::string>(), {}};
}

Result<ReadFacts> readLines(GzipFile& file, const records::DataSource& source, double maxBad, const Visit& visit) {
    ReadFacts facts;
    std::optional<Error> firstBad;
    int64_t number = 0;
    while (true) {
        const size_t start = file.offset();
        QW_TRY(std::optional<std::string> line, file.line());
        if (!line) break;
        ++number;
        if (line->ends_with('\r')) line->pop_back();
        if (line->find_first_not_of(" \t") == std::string::npos) continue;
        ++facts.lines;
        Parsed parsed = parseLine(std::move(*line), source, start);
        if (!parsed.text) {
            ++facts.badLines;
            if (!firstBad)
                firstBad = unreadable(source.path + ":" + std::to_string(number), parsed.problem, "mend the line, or raise data.max_bad");
            continue;
        }
        ++facts.documents;
        QW_CHECK(visit(*parsed.text, file.done()));
    }
    if (firstBad && static_cast<double>(facts.badLines) > maxBad * static_cast<double>(facts.lines)) {
        firstBad->message += "; " + std::to_string(facts.badLines) + " of " + std::to_string(facts.lines) + " lines are like that";
        return std::move(*firstBad);
    }
    return facts;
}

Result<ReadFacts> readWhole(GzipFile& file, const records::DataSource& source, const Visit& visit) {
    QW_TRY(const std::string text, file.rest());
    if (const auto bad = firstInvalidUtf8(text)) {
        const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(*bad), '\n');
        return unreadable(source.path + ":" + std::to_string(line), "invalid UTF-8 at byte " + std::to_string(*bad),
                          "convert the file to UTF-8");
    }
    ReadFacts facts;
    if (text.empty()) return facts;
    facts.documents = facts.lines = 1;
    QW_CHECK(visit(text, file.done()));
    return facts;
}

} // namespace

Result<ReadFacts> readDocuments(const records::DataSource& source, double maxBad, const Visit& visit) {
    if (source.format != "text" && source.format != "jsonl_text")
        return Error{
            "config.invalid", "data format '" + source.format + "' of " + source.path + " is not known", "text or jsonl_text", {}, false};
    QW_TRY(GzipFile file, GzipFile::open(source.path));
    const bool whole = source.format == "text" && source.document == "file";
    QW_TRY(ReadFacts facts, whole ? readWhole(file, source, visit) : readLines(file, source, maxBad, visit));
    if (facts.documents == 0) return Error{"data.empty", source.path + " has no text", "check the file and its format", {}, false};
    return facts;
}

} // namespace qw::data
