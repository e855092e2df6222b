// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/safetensors_header.h"

#include "base/utf8.h"
#include "checkpoint/json_position.h"
#include "checkpoint/json_value.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace qw::checkpoint {
namespace {

constexpr uint64_t kPrefix = 8; // the header starts at this byte of the file

std::optional<uint64_t> product(uint64_t a, uint64_t b) {
    uint64_t out = 0;
    if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
    return out;
}

bool hasControl(const std::string& name) {
    for (size_t i = 0; i < name.size();) {
        const uint32_t c = nextCodePoint(name, i);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return true;
    }
    return false;
}

// Streams the header: nothing is kept but the tensors themselves, and the first broken rule ends the parse.
class HeaderSax final : public nlohmann::json_sax<nlohmann::json> {
public:
    HeaderSax(std::string_view text, const char* const& seen) : m_text(text), m_seen(seen) {}

    bool null() override { return value("null"); }
    bool boolean(bool v) override { return value(v ? "true" : "false"); }
    bool number_integer(number_integer_t v) override { return value("the negative number " + std::to_string(v)); }
    bool number_unsigned(number_unsigned_t v) override {
        if (m_where != Where::List) return value("a number");
        if (v > static_cast<uint64_t>(INT64_MAX)) return refuse("number " + std::to_string(v) + " is above 2^63-1");
        if (m_key == "shape") {
            if (m_tensor.shape.size() >= kMaxRank) return refuse(tensorWords() + "more than " + std::to_string(kMaxRank) + " dimensions");
            m_tensor.shape.push_back(static_cast<int64_t>(v));
            return true;
        }
        if (m_offsets.size() >= 2) return refuse(tensorWords() + "data_offsets has more than two numbers");
        m_offsets.push_back(v);
        return true;
    }
    bool number_float(number_float_t, const string_t& written) override { return value("the number " + written); }
    bool string(string_t& v) override {
        if (m_where == Where::Metadata) {
            m_metadataBytes += m_key.size() + v.size();
            if (m_metadataBytes > kMaxMetadataBytes) return refuse("__metadata__ is larger than 1 MiB");
            header.metadata.emplace(m_key, std::move(v));
            return true;
        }
        if (m_where == Where::Tensor && m_key == "dtype") {
            m_tensor.dtype = std::move(v);
            if (!dtypeBits(m_tensor.dtype)) return refuse(tensorWords() + "unknown dtype " + jsonQuoted(m_tensor.dtype));
            return true;
        }
        return value("a string");
    }
    bool binary(binary_t&) override { return false; }
    bool start_object(size_t) override {
        switch (m_where) {
        case Where::Outside:
            m_where = Where::Top;
            return true;
        case Where::Top:
            m_where = m_key == "__metadata__" ? Where::Metadata : Where::Tensor;
            m_keys.clear();
            m_tensor = {};
            m_tensor.name = m_key;
            m_owner = m_key;
            m_offsets.clear();
            return true;
        default:
            return value("an object");
        }
    }
    bool key(string_t& name) override {
        if (!(m_where == Where::Top ? m_names : m_keys).insert(name).second) return refuse("key " + jsonQuoted(name) + " occurs twice");
        m_key = std::move(name);
        if (m_where == Where::Top && m_key != "__metadata__") {
            if (m_key.empty()) return refuse("a tensor has an empty name");
            if (m_key.size() > kMaxNameBytes)
                return refuse("a tensor name has " + std::to_string(m_key.size()) + " bytes, at most 1024 are allowed");
            if (hasControl(m_key)) return refuse("tensor name " + jsonQuoted(m_key) + " has a control character");
            if (header.tensors.size() >= kMaxTensors) return refuse("more than 200000 tensors");
        }
        if (m_where == Where::Tensor && m_key != "dtype" && m_key != "shape" && m_key != "data_offsets")
            return refuse(tensorWords() + "unexpected key " + jsonQuoted(m_key));
        return true;
    }
    bool start_array(size_t) override {
        if (m_where != Where::Tensor || (m_key != "shape" && m_key != "data_offsets")) return value("a list");
        m_where = Where::List;
        return true;
    }
    bool end_array() override {
        m_where = Where::Tensor;
        return true;
    }
    bool end_object() override {
        if (m_where == Where::Top) {
            m_end = position();
            m_where = Where::Done;
            return true;
        }
        const bool metadata = m_where == Where::Metadata;
        m_where = Where::Top;
        return metadata || finishTensor();
    }
    bool parse_error(size_t at, const std::string&, const nlohmann::detail::exception& error) override {
        std::string what = error.what();
        if (const size_t cut = what.find("syntax error"); cut != std::string::npos) what.erase(0, cut);
        problem = "byte " + std::to_string(kPrefix + (at ? at - 1 : 0)) + ": " + what;
        return false;
    }
    [[nodiscard]] size_t end() const { return m_end; }

    Header header;
    std::string problem;

private:
    enum class Where : uint8_t { Outside, Top, Metadata, Tensor, List, Done };

    [[nodiscard]] size_t position() const { return static_cast<size_t>(m_seen - m_text.data()); }
    [[nodiscard]] std::string tensorWords() const { return "tensor " + jsonQuoted(m_owner) + ": "; }
    bool refuse(const std::string& what) {
        const size_t at = position();
        problem = "byte " + std::to_string(kPrefix + (at ? at - 1 : 0)) + ": " + what;
        return false;
    }
    bool value(const std::string& found) {
        switch (m_where) {
        case Where::Outside:
            return refuse("the header is " + found + ", not an object");
        case Where::Top:
            return refuse(jsonQuoted(m_key) + " is " + found + ", not an object");
        case Where::Metadata:
            return refuse("__metadata__ key " + jsonQuoted(m_key) + " is " + found + ", only strings are allowed");
        case Where::Tensor:
            return refuse(tensorWords() + m_key + " is " + found);
        default:
            return refuse(tensorWords() + m_key + " holds " + found + ", only non-negative whole numbers are allowed");
        }
    }
    bool finishTensor() {
        for (const char* needed : {"dtype", "shape", "data_offsets"})
            if (!m_keys.contains(needed)) return refuse(tensorWords() + "has no " + needed);
        if (m_offsets.size() != 2) return refuse(tensorWords() + "data_offsets needs two numbers");
        m_tensor.begin = m_offsets[0];
        m_tensor.end = m_offsets[1];
        std::optional<uint64_t> bits = static_cast<uint64_t>(*dtypeBits(m_tensor.dtype));
        std::optional<uint64_t> count = 1;
        for (const int64_t d : m_tensor.shape) {
            if (count) count = product(*count, static_cast<uint64_t>(d));
        }
        if (count) bits = product(*count, *bits);
        if (!count || !bits || *count > static_cast<uint64_t>(INT64_MAX)) return refuse(tensorWords() + "shape and dtype overflow 64 bits");
        if (*bits % 8 != 0) return refuse(tensorWords() + "its elements do not fill whole bytes");
        if (m_tensor.begin > m_tensor.end)
            return refuse(tensorWords() + "data_offsets begin at " + std::to_string(m_tensor.begin) + " behind their end " +
                          std::to_string(m_tensor.end));
        if (m_tensor.bytes() != *bits / 8)
            return refuse(tensorWords() + "data_offsets span " + std::to_string(m_tensor.bytes()) + " bytes, shape and dtype need " +
                          std::to_string(*bits / 8));
        header.tensors.push_back(std::move(m_tensor));
        return true;
    }

    std::string_view m_text;
    const char* const& m_seen;
    Where m_where = Where::Outside;
    std::string m_key, m_owner;
    std::unordered_set<std::string> m_names, m_keys;
    TensorInfo m_tensor;
    std::vector<uint64_t> m_offsets;
    size_t m_metadataBytes = 0, m_end = 0;
};

Error formatError(const std::string& what) {
    return {"model.format", what, "this is no valid safetensors file: fetch or write it again", {}, false};
}

// Rule 9: tensors fill the data region from its first to its last byte.
Status checkLayout(std::vector<TensorInfo>& tensors, uint64_t headerBytes, uint64_t dataBytes) {
    std::stable_sort(tensors.begin(), tensors.end(),
                     [](const TensorInfo& a, const TensorInfo& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    const auto place = [&](uint64_t offset) { return "byte " + std::to_string(kPrefix + headerBytes + offset) + ": "; };
    uint64_t previous = 0;
    for (const TensorInfo& t : tensors) {
        if (t.end > dataBytes)
            return Error{"model.truncated",
                         place(dataBytes) + "the file ends, but tensor " + jsonQuoted(t.name) + " reaches to data byte " +
                             std::to_string(t.end) + " of " + std::to_string(dataBytes),
                         "the download or copy is incomplete: fetch the file again",
                         {},
                         false};
        if (t.begin != previous)
            return formatError(place(previous) + "tensor " + jsonQuoted(t.name) + " starts at data byte " + std::to_string(t.begin) +
                               (t.begin < previous ? " inside its neighbour" : " and leaves a hole") + ", expected " +
                               std::to_string(previous));
        previous = t.end;
    }
    if (previous != dataBytes) return formatError(place(previous) + std::to_string(dataBytes - previous) + " bytes follow the last tensor");
    return {};
}

} // namespace

Result<Header> parseHeader(std::string_view text, uint64_t dataBytes) {
    if (text.empty() || text.front() != '{') return formatError("byte 8: the header does not start with '{'");
    if (const auto bad = firstInvalidUtf8(text))
        return formatError("byte " + std::to_string(kPrefix + *bad) + ": the header is not valid UTF-8");
    const char* seen = text.data();
    HeaderSax sax(text, seen);
    const CountingIterator begin{text.data(), &seen};
    const CountingIterator end{text.data() + text.size(), &seen};
    if (!nlohmann::json::sax_parse(begin, end, &sax, nlohmann::json::input_format_t::json, false)) return formatError(sax.problem);
    const size_t extra = text.find_first_not_of(' ', sax.end());
    if (extra != std::string_view::npos)
        return formatError("byte " + std::to_string(kPrefix + extra) + ": only spaces may follow the header's closing brace");
    QW_CHECK(checkLayout(sax.header.tensors, text.size(), dataBytes));
    return std::move(sax.header);
}

} // namespace qw::checkpoint
