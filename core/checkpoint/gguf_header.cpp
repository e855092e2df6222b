// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/gguf_header.h"

#include "checkpoint/json_value.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>

namespace qw::checkpoint {
namespace {

constexpr uint64_t kMaxEntries = 100'000, kMaxKeyBytes = 65'535, kMaxTextBytes = uint64_t{16} << 20, kMaxGgufName = 63;
constexpr uint64_t kMaxAlignment = uint64_t{1} << 20;
constexpr size_t kBuffer = size_t{1} << 20;

struct Stored {
    uint32_t id;
    BlockType block;
};
// export.md 5.2, and the ids of what is only named in a refusal
constexpr std::array kTypes{Stored{0, {"F32", 1, 4}},    Stored{1, {"F16", 1, 2}},    Stored{2, {"Q4_0", 32, 18}},
                            Stored{3, {"Q4_1", 32, 20}}, Stored{8, {"Q8_0", 32, 34}}, Stored{30, {"BF16", 1, 2}}};
constexpr std::array kOtherTypes{std::pair{6u, "Q5_0"},  std::pair{7u, "Q5_1"},   std::pair{10u, "Q2_K"},
                                 std::pair{11u, "Q3_K"}, std::pair{12u, "Q4_K"},  std::pair{13u, "Q5_K"},
                                 std::pair{14u, "Q6_K"}, std::pair{39u, "MXFP4"}, std::pair{40u, "NVFP4"}};
constexpr std::array<uint64_t, 13> kValueBytes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}; // of metadata types 0 to 12
constexpr uint32_t kFloat = 6, kBool = 7, kText = 8, kArray = 9, kDouble = 12;

Error refuse(const std::string& what) {
    return {"model.format", what, "this is no GGUF file that can be read: fetch or write it again", {}, false};
}
Error truncated(const std::string& what) {
    return {"model.truncated", what, "the download or copy is incomplete: fetch the file again", {}, false};
}

std::string numberText(uint32_t type, const unsigned char* bytes) {
    const auto as = [&](auto value) {
        std::memcpy(&value, bytes, sizeof value);
        return value;
    };
    std::array<char, 32> text{};
    switch (type) {
    case 0:
        return std::to_string(as(uint8_t{}));
    case 1:
        return std::to_string(as(int8_t{}));
    case 2:
        return std::to_string(as(uint16_t{}));
    case 3:
        return std::to_string(as(int16_t{}));
    case 4:
        return std::to_string(as(uint32_t{}));
    case 5:
        return std::to_string(as(int32_t{}));
    case 10:
        return std::to_string(as(uint64_t{}));
    case 11:
        return std::to_string(as(int64_t{}));
    case kBool:
        return bytes[0] ? "true" : "false";
    case kFloat:
        std::snprintf(text.data(), text.size(), "%.9g", static_cast<double>(as(float{})));
        return text.data();
    default:
        std::snprintf(text.data(), text.size(), "%.17g", as(double{}));
        return text.data();
    }
}

// Steps through the file; nothing is taken that lies behind its end.
class Cursor {
public:
    Cursor(const ReadBytes& read, uint64_t size) : m_read(read), m_size(size) {}
    [[nodiscard]] uint64_t at() const { return m_at; }
    [[nodiscard]] uint64_t left() const { return m_size - m_at; }

    Status need(uint64_t bytes, const std::string& what) const {
        if (bytes <= left()) return {};
        return truncated("the file ends at byte " + std::to_string(m_size) + ", inside " + what + " at byte " + std::to_string(m_at));
    }
    Status skip(uint64_t bytes, const std::string& what) {
        QW_CHECK(need(bytes, what));
        m_at += bytes;
        return {};
    }
    Status take(void* dst, uint64_t bytes, const std::string& what) {
        QW_CHECK(need(bytes, what));
        if (m_at < m_start || m_at + bytes > m_start + m_buffer.size()) {
            m_buffer.resize(std::min<uint64_t>(std::max<uint64_t>(bytes, kBuffer), left()));
            m_start = m_at;
            QW_CHECK(m_read(m_start, m_buffer.data(), m_buffer.size()));
        }
        std::memcpy(dst, m_buffer.data() + (m_at - m_start), bytes);
        m_at += bytes;
        return {};
    }
    template<class T> Result<T> number(const std::string& what) {
        T value{};
        QW_CHECK(take(&value, sizeof value, what));
        return value;
    }
    Result<std::string> text(uint64_t most, const std::string& what) {
        QW_TRY(const auto length, number<uint64_t>(what));
        if (length > most)
            return refuse(what + " at byte " + std::to_string(m_at - 8) + " announces " + std::to_string(length) + " bytes, at most " +
                          std::to_string(most) + " are read");
        std::string out(length, '\0');
        QW_CHECK(take(out.data(), length, what));
        return out;
    }

private:
    const ReadBytes& m_read;
    uint64_t m_size, m_at = 0, m_start = 0;
    std::vector<char> m_buffer;
};

Status skipArray(Cursor& in, const std::string& what) {
    QW_TRY(const auto type, in.number<uint32_t>(what));
    QW_TRY(const auto count, in.number<uint64_t>(what));
    if (type >= kValueBytes.size() || type == kArray) return refuse(what + " is an array of type " + std::to_string(type));
    const uint64_t each = type == kText ? 8 : kValueBytes[type]; // a text has at least its length
    if (count > in.left() / each)
        return truncated(what + " announces " + std::to_string(count) + " elements, the file is too short for them");
    if (type != kText) return in.skip(count * each, what);
    for (uint64_t i = 0; i < count; ++i) {
        QW_TRY(const auto length, in.number<uint64_t>(what));
        QW_CHECK(in.skip(length, what));
    }
    return {};
}

Status readEntries(Cursor& in, uint64_t count, GgufContents& out) {
    std::set<std::string> keys;
    for (uint64_t i = 0; i < count; ++i) {
        QW_TRY(const std::string key, in.text(kMaxKeyBytes, "metadata key " + std::to_string(i)));
        const std::string what = "metadata " + jsonQuoted(key);
        if (key.empty()) return refuse("metadata key " + std::to_string(i) + " is empty");
        if (!keys.insert(key).second) return refuse(what + " stands twice in the file");
        QW_TRY(const auto type, in.number<uint32_t>(what));
        if (type >= kValueBytes.size()) return refuse(what + " has the unknown type " + std::to_string(type));
        if (type == kArray) {
            QW_CHECK(skipArray(in, what));
        } else if (type == kText) {
            QW_TRY(out.metadata[key], in.text(kMaxTextBytes, what));
        } else {
            std::array<unsigned char, 8> bytes{};
            QW_CHECK(in.take(bytes.data(), kValueBytes[type], what));
            if (type == kBool && bytes[0] > 1) return refuse(what + " is neither true nor false");
            out.metadata[key] = numberText(type, bytes.data());
        }
    }
    return {};
}

Result<const Stored*> typeOf(uint32_t id, const std::string& what) {
    for (const Stored& type : kTypes)
        if (type.id == id) return &type;
    std::string name = "type " + std::to_string(id);
    for (const auto& [other, word] : kOtherTypes)
        if (other == id) name = word;
    return Error{"model.format",
                 what + " is stored as " + name + ", which is not read",
                 "use a GGUF of F32, F16, BF16, Q4_0, Q4_1 or Q8_0",
                 {},
                 false};
}

Status readShape(Cursor& in, const std::string& what, GgufTensor& out) {
    QW_TRY(const auto rank, in.number<uint32_t>(what));
    if (rank < 1 || rank > 4) return refuse(what + " has " + std::to_string(rank) + " dimensions, 1 to 4 are possible");
    for (uint32_t d = 0; d < rank; ++d) {
        QW_TRY(const auto size, in.number<int64_t>(what));
        if (size < 1) return refuse(what + " has a dimension of " + std::to_string(size));
        out.shape.insert(out.shape.begin(), size);
    }
    return {};
}

// Tensors follow one another, each at the next multiple of the alignment: no holes, no overlap.
Status readTensors(Cursor& in, uint64_t count, uint64_t alignment, GgufContents& out) {
    std::set<std::string> names;
    uint64_t next = 0;
    for (uint64_t i = 0; i < count; ++i) {
        GgufTensor tensor;
        QW_TRY(tensor.name, in.text(kMaxGgufName, "the name of tensor " + std::to_string(i)));
        const std::string what = "tensor " + jsonQuoted(tensor.name);
        if (tensor.name.empty()) return refuse("tensor " + std::to_string(i) + " has no name");
        if (!names.insert(tensor.name).second) return refuse(what + " stands twice in the file");
        QW_CHECK(readShape(in, what, tensor));
        QW_TRY(const auto id, in.number<uint32_t>(what));
        QW_TRY(const Stored* type, typeOf(id, what));
        QW_TRY(const auto offset, in.number<uint64_t>(what));
        tensor.type = type->block.name;
        if (tensor.shape.back() % type->block.elements != 0)
            return refuse(what + " has rows of " + std::to_string(tensor.shape.back()) + " elements, " + tensor.type +
                          " needs whole blocks of " + std::to_string(type->block.elements));
        uint64_t bytes = static_cast<uint64_t>(type->block.bytes);
        for (size_t d = 0; d < tensor.shape.size(); ++d) {
            const int64_t size = d + 1 == tensor.shape.size() ? tensor.shape[d] / type->block.elements : tensor.shape[d];
            if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) return refuse(what + " is larger than any file");
        }
        if (offset != next)
            return refuse(what + " begins at byte " + std::to_string(offset) + " of the data, the one before it ends at " +
                          std::to_string(next));
        tensor.begin = offset;
        if (__builtin_add_overflow(offset, bytes, &tensor.end) || tensor.end > UINT64_MAX - alignment)
            return refuse(what + " is larger than any file");
        next = (tensor.end + alignment - 1) / alignment * alignment;
        out.tensors.push_back(std::move(tensor));
    }
    return {};
}

} // namespace

const BlockType* blockType(std::string_view name) {
    for (const Stored& type : kTypes)
        if (type.block.elements > 1 && type.block.name == name) return &type.block;
    return nullptr;
}

Result<GgufContents> parseGguf(const ReadBytes& read, uint64_t fileBytes) {
    Cursor in(read, fileBytes);
    GgufContents out;
    std::array<char, 4> magic{};
    QW_CHECK(in.take(magic.data(), magic.size(), "the magic number"));
    if (std::string_view(magic.data(), 4) != "GGUF") return refuse("it does not begin with \"GGUF\"");
    QW_TRY(const auto version, in.number<uint32_t>("the version"));
    if (version != 2 && version != 3) // 3 only added big-endian files
        return refuse("it has version " + std::to_string(version) + ", 2 and 3 are read (a big-endian file shows a huge number)");
    QW_TRY(const auto tensors, in.number<uint64_t>("the number of tensors"));
    QW_TRY(const auto entries, in.number<uint64_t>("the number of metadata entries"));
    if (tensors > kMaxTensors)
        return refuse("it announces " + std::to_string(tensors) + " tensors, at most " + std::to_string(kMaxTensors) + " are read");
    if (entries > kMaxEntries)
        return refuse("it announces " + std::to_string(entries) + " metadata entries, at most " + std::to_string(kMaxEntries) +
                      " are read");
    QW_CHECK(readEntries(in, entries, out));
    uint64_t alignment = 32;
    if (const auto at = out.metadata.find("general.alignment"); at != out.metadata.end()) {
        alignment = std::strtoull(at->second.c_str(), nullptr, 10);
        if (!std::has_single_bit(alignment) || alignment > kMaxAlignment)
            return refuse("general.alignment is " + at->second + ", not a power of two up to " + std::to_string(kMaxAlignment));
    }
    QW_CHECK(readTensors(in, tensors, alignment, out));
    out.dataStart = (in.at() + alignment - 1) / alignment * alignment;
    const uint64_t end = out.tensors.empty() ? 0 : out.tensors.back().end;
    if (out.dataStart > fileBytes || end > fileBytes - out.dataStart)
        return truncated("the tensors need " + std::to_string(out.dataStart) + " + " + std::to_string(end) + " bytes, the file has " +
                         std::to_string(fileBytes));
    if (fileBytes - out.dataStart - end >= alignment) return refuse("bytes follow the last tensor");
    return out;
}

} // namespace qw::checkpoint
