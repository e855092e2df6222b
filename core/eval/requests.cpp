// SPDX-License-Identifier: GPL-3.0-or-later
#include "eval/requests.h"

#include "base/utf8.h"

#include <algorithm>
#include <optional>

namespace qw::eval {
namespace {

// Bytes of the Unicode white space that text ends with.
size_t trailingSpace(std::string_view text) {
    size_t end = text.size();
    while (end > 0) {
        size_t start = end - 1;
        while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
        size_t scan = start;
        if (!isWhiteSpace(nextCodePoint(text, scan))) break;
        end = start;
    }
    return text.size() - end;
}

struct EncodedRow {
    Ids context;
    std::vector<Ids> endings;
    std::string problem;
};

EncodedRow encodeRow(const Encoder& encoder, const tasks::ChoiceRow& row) {
    EncodedRow out;
    std::string query = row.query, moved;
    if (const size_t spaces = trailingSpace(query)) {
        moved = query.substr(query.size() - spaces);
        query.resize(query.size() - spaces);
    }
    if (!row.query.empty()) out.context = encoder(query);
    for (size_t i = 0; i < row.choices.size(); ++i) {
        const std::string continuation = moved + " " + row.choices[i];
        Ids ids;
        if (row.query.empty()) {
            ids = encoder.withoutSpecials(continuation);
            if (ids.empty() || ids[0] != encoder.rules().prefix) ids.insert(ids.begin(), encoder.rules().prefix);
            out.context.assign(1, encoder.rules().prefix);
        } else {
            ids = encoder(query + continuation);
        }
        ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(std::min(out.context.size(), ids.size())));
        const auto limit = static_cast<size_t>(encoder.rules().maxLength);
        if (ids.empty()) out.problem = "choice " + std::to_string(i) + " has no tokens, it cannot be scored";
        if (ids.size() > limit)
            out.problem =
                "choice " + std::to_string(i) + " has " + std::to_string(ids.size()) + " tokens, the model takes " + std::to_string(limit);
        out.endings.push_back(std::move(ids));
    }
    if (out.context.empty()) out.problem = "the context has no tokens";
    return out;
}

// Keeps the last L + 1 tokens; true when some were lost.
bool makeRequest(const Ids& context, const Ids& ending, int64_t maxLength, Request& out) {
    Ids sequence = context;
    sequence.insert(sequence.end(), ending.begin(), ending.end());
    const auto keep = static_cast<size_t>(maxLength) + 1;
    const bool cut = sequence.size() > keep;
    if (cut) sequence.erase(sequence.begin(), sequence.end() - static_cast<std::ptrdiff_t>(keep));
    sequence.pop_back();
    out.input = std::move(sequence);
    out.targets = ending;
    return cut;
}

} // namespace

Encoder::Encoder(const tokenizer::Tokenizer& tokenizer, EncodeRules rules) : m_tokenizer(tokenizer), m_rules(std::move(rules)) {
    const int32_t prefix = m_rules.prefix;
    m_prefixText = m_tokenizer.decode({&prefix, 1}, false);
    m_force = m_rules.bos == "on" && !m_tokenizer.addsBos() && m_tokenizer.specials().bos.has_value();
}

Ids Encoder::operator()(std::string_view text) const {
    const bool has = !m_prefixText.empty() && text.starts_with(m_prefixText);
    const bool special = m_rules.bos != "off" && !has;
    Ids ids = m_tokenizer.encode(text, {special, true}).ids;
    if (special && m_force) ids.insert(ids.begin(), *m_tokenizer.specials().bos);
    return ids;
}

Ids Encoder::withoutSpecials(std::string_view text) const { return m_tokenizer.encode(text, {false, true}).ids; }

bool Encoder::addsBos() const { return m_rules.bos != "off" && (m_force || m_tokenizer.addsBos()); }

Result<Work> choiceWork(const Encoder& encoder, const std::vector<tasks::ChoiceRow>& rows, bool shared, const ParallelFor& parallel) {
    std::vector<EncodedRow> encoded(rows.size());
    parallel(static_cast<int64_t>(rows.size()), 16, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) encoded[static_cast<size_t>(i)] = encodeRow(encoder, rows[static_cast<size_t>(i)]);
    });
    Work work;
    const int64_t maxLength = encoder.rules().maxLength;
    for (size_t i = 0; i < rows.size(); ++i) {
        EncodedRow& row = encoded[i];
        if (!row.problem.empty())
            return Error{
                "data.unreadable", "line " + std::to_string(rows[i].line) + ": " + row.problem, "mend or remove this row", {}, false};
        const auto item = static_cast<int64_t>(i);
        work.parts.push_back(static_cast<int64_t>(row.endings.size()));
        work.tokens.push_back(0);
        bool fits = true;
        for (const Ids& ending : row.endings) {
            work.tokens.back() += static_cast<int64_t>(ending.size());
            fits = fits && static_cast<int64_t>(row.context.size() + ending.size()) <= maxLength + 1;
        }
        if (shared && fits) {
            work.shared.push_back({item, std::move(row.context), std::move(row.endings)});
            continue;
        }
        for (size_t c = 0; c < row.endings.size(); ++c) {
            Request request{item, static_cast<int64_t>(c), {}, {}};
            work.truncated += makeRequest(row.context, row.endings[c], maxLength, request);
            work.single.push_back(std::move(request));
        }
    }
    return work;
}

std::vector<Request> rollingWindows(const Ids& tokens, int32_t prefix, int64_t maxLength) {
    std::vector<Request> windows;
    const auto total = static_cast<int64_t>(tokens.size());
    const auto at = [&](int64_t i) { return tokens.begin() + i; };
    for (int64_t done = 0; done < total;) {
        const int64_t count = std::min(maxLength, total - done), end = done + count;
        Request window{0, static_cast<int64_t>(windows.size()), {}, Ids(at(done), at(end))};
        if (done == 0) {
            window.input.push_back(prefix);
            window.input.insert(window.input.end(), at(0), at(end - 1));
        } else {
            window.input.assign(at(end - maxLength - 1), at(end - 1));
        }
        windows.push_back(std::move(window));
        done = end;
    }
    return windows;
}

Work rollingWork(const Encoder& encoder, const std::vector<tasks::Document>& documents, const ParallelFor& parallel) {
    std::vector<Ids> encoded(documents.size());
    parallel(static_cast<int64_t>(documents.size()), 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) encoded[static_cast<size_t>(i)] = encoder(documents[static_cast<size_t>(i)].text);
    });
    Work work;
    for (size_t i = 0; i < encoded.size(); ++i) {
        std::vector<Request> windows = rollingWindows(encoded[i], encoder.rules().prefix, encoder.rules().maxLength);
        work.parts.push_back(static_cast<int64_t>(windows.size()));
        work.tokens.push_back(static_cast<int64_t>(encoded[i].size()));
        for (Request& window : windows) {
            window.item = static_cast<int64_t>(i);
            work.single.push_back(std::move(window));
        }
    }
    return work;
}

} // namespace qw::eval
