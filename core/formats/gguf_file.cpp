// SPDX-License-Identifier: GPL-3.0-or-later
#include "formats/gguf_file.h"

#include "base/output_file.h"

#include <array>

namespace qw::formats {
namespace {

constexpr uint64_t kAlignment = 32;
constexpr size_t kMaxName = 63;
constexpr uint32_t kVersion = 3;
enum : uint32_t { kU32 = 4, kI32 = 5, kF32 = 6, kBool = 7, kString = 8, kArray = 9 };

struct Type {
    GgufType type;
    const char* word;
    uint32_t fileType;
    uint64_t elements, bytes;
};
// export.md 5.2 and 5.5
constexpr std::array kTypes{Type{GgufType::F32, "F32", 0, 1, 4},     Type{GgufType::F16, "F16", 1, 1, 2},
                            Type{GgufType::BF16, "BF16", 32, 1, 2},  Type{GgufType::Q4_0, "Q4_0", 2, 32, 18},
                            Type{GgufType::Q4_1, "Q4_1", 3, 32, 20}, Type{GgufType::Q8_0, "Q8_0", 7, 32, 34}};
const Type& row(GgufType type) {
    for (const Type& t : kTypes)
        if (t.type == type) return t;
    return kTypes.front();
}

template<class T> void add(std::string& to, T value) { to.append(reinterpret_cast<const char*>(&value), sizeof value); }
void addText(std::string& to, std::string_view text) {
    add(to, uint64_t{text.size()});
    to.append(text);
}
uint64_t padded(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

std::string headerOf(const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors) {
    std::string out = "GGUF";
    add(out, kVersion);
    add(out, uint64_t{tensors.size()});
    add(out, metadata.count());
    out += metadata.bytes();
    uint64_t offset = 0;
    for (const GgufTensor& tensor : tensors) {
        addText(out, tensor.name);
        add(out, static_cast<uint32_t>(tensor.shape.size()));
        for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size) add(out, *size); // innermost first
        add(out, static_cast<uint32_t>(tensor.type));
        add(out, offset);
        offset += padded(tensor.bytes());
    }
    out.resize(padded(out.size()), '\0');
    return out;
}

Status writeTensor(OutputFile& out, const GgufTensor& tensor, uint64_t total, const std::function<bool(uint64_t, uint64_t)>& progress) {
    const uint64_t before = out.written(), bytes = tensor.bytes();
    QW_CHECK(tensor.write([&](const void* data, uint64_t size) -> Status {
        QW_CHECK(out.write(data, size));
        return progress(out.written(), total) ? Status{} : Status(Error{"engine.cancelled", "the export was cancelled", {}, {}, false});
    }));
    if (out.written() - before != bytes)
        return Error{"engine.internal",
                     "GGUF writer: tensor " + tensor.name + " gave " + std::to_string(out.written() - before) + " of " +
                         std::to_string(bytes) + " bytes",
                     {},
                     {},
                     false};
    constexpr std::array<char, kAlignment> zeros{};
    return bytes == padded(bytes) ? Status{} : out.write(zeros.data(), padded(bytes) - bytes);
}

} // namespace

const char* word(GgufType type) { return row(type).word; }
bool isBlocks(GgufType type) { return row(type).elements > 1; }
uint32_t fileType(GgufType type) { return row(type).fileType; }
uint64_t rowBytes(GgufType type, int64_t elements) { return static_cast<uint64_t>(elements) / row(type).elements * row(type).bytes; }

uint64_t GgufTensor::bytes() const {
    uint64_t rows = 1;
    for (size_t d = 0; d + 1 < shape.size(); ++d) rows *= static_cast<uint64_t>(shape[d]);
    return rows * rowBytes(type, shape.back());
}

void GgufMetadata::begin(std::string_view key, uint32_t type) {
    addText(m_bytes, key);
    add(m_bytes, type);
    ++m_count;
}
void GgufMetadata::number(std::string_view key, uint32_t value) {
    begin(key, kU32);
    add(m_bytes, value);
}
void GgufMetadata::real(std::string_view key, double value) {
    begin(key, kF32);
    add(m_bytes, static_cast<float>(value));
}
void GgufMetadata::flag(std::string_view key, bool value) {
    begin(key, kBool);
    add(m_bytes, static_cast<uint8_t>(value));
}
void GgufMetadata::text(std::string_view key, std::string_view value) {
    begin(key, kString);
    addText(m_bytes, value);
}
void GgufMetadata::texts(std::string_view key, const std::vector<std::string>& values) {
    begin(key, kArray);
    add(m_bytes, uint32_t{kString});
    add(m_bytes, uint64_t{values.size()});
    for (const std::string& value : values) addText(m_bytes, value);
}
void GgufMetadata::numbers(std::string_view key, const std::vector<int32_t>& values) {
    begin(key, kArray);
    add(m_bytes, uint32_t{kI32});
    add(m_bytes, uint64_t{values.size()});
    for (const int32_t value : values) add(m_bytes, value);
}
void GgufMetadata::reals(std::string_view key, const std::vector<float>& values) {
    begin(key, kArray);
    add(m_bytes, uint32_t{kF32});
    add(m_bytes, uint64_t{values.size()});
    for (const float value : values) add(m_bytes, value);
}

uint64_t ggufBytes(const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors) {
    uint64_t bytes = headerOf(metadata, tensors).size();
    for (const GgufTensor& tensor : tensors) bytes += padded(tensor.bytes());
    return bytes;
}

Status writeGguf(const std::filesystem::path& path, const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors,
                 const std::function<bool(uint64_t done, uint64_t total)>& progress) {
    for (const GgufTensor& tensor : tensors)
        if (tensor.name.size() > kMaxName)
            return Error{"usage",
                         "the name " + tensor.name + " has " + std::to_string(tensor.name.size()) + " bytes, GGUF holds " +
                             std::to_string(kMaxName),
                         "choose another format",
                         {},
                         false};
    const uint64_t total = ggufBytes(metadata, tensors);
    const std::string header = headerOf(metadata, tensors);
    QW_TRY(const auto out, OutputFile::create(path));
    QW_CHECK(out->reserve(total));
    QW_CHECK(out->write(header.data(), header.size()));
    for (const GgufTensor& tensor : tensors) QW_CHECK(writeTensor(*out, tensor, total, progress));
    return out->finish();
}

} // namespace qw::formats
