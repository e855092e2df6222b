// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/safetensors.h"

#include "base/files.h"
#include "checkpoint/gguf_header.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_map>

namespace qw::checkpoint {
namespace {

struct Width {
    std::string_view name;
    int bits;
};
// models.md 1.1, in the writer's alignment order
constexpr std::array kWidths{
    Width{"BOOL", 8},    Width{"F4", 4},      Width{"F6_E2M3", 6}, Width{"F6_E3M2", 6},     Width{"U8", 8},          Width{"I8", 8},
    Width{"F8_E5M2", 8}, Width{"F8_E4M3", 8}, Width{"F8_E8M0", 8}, Width{"F8_E4M3FNUZ", 8}, Width{"F8_E5M2FNUZ", 8}, Width{"I16", 16},
    Width{"U16", 16},    Width{"F16", 16},    Width{"BF16", 16},   Width{"I32", 32},        Width{"U32", 32},        Width{"F32", 32},
    Width{"C64", 64},    Width{"F64", 64},    Width{"I64", 64},    Width{"U64", 64},
};

Error truncated(const std::filesystem::path& path, const std::string& what) {
    return {"model.truncated", path.string() + ": " + what, "the download or copy is incomplete: fetch the file again", {}, false};
}

Status readAt(int fd, const std::filesystem::path& path, void* dst, uint64_t size, uint64_t offset) {
    auto* out = static_cast<char*>(dst);
    while (size > 0) {
        const ssize_t n = ::pread(fd, out, std::min<uint64_t>(size, uint64_t{1} << 30), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errnoError(errno, "read", path);
        if (n == 0)
            return Error{"file.io",
                         path.string() + " became shorter while it was read (byte " + std::to_string(offset) + " is gone)",
                         "do not change model files that are in use",
                         {},
                         true};
        out += n;
        size -= static_cast<uint64_t>(n);
        offset += static_cast<uint64_t>(n);
    }
    return {};
}

} // namespace

int64_t TensorInfo::elements() const {
    int64_t n = 1;
    for (const int64_t d : shape) n *= d;
    return n;
}

std::optional<int> dtypeBits(std::string_view dtype) {
    for (const Width& w : kWidths)
        if (w.name == dtype) return w.bits;
    return std::nullopt;
}

struct TensorFile::State {
    int fd = -1;
    std::filesystem::path path;
    uint64_t size = 0;
    Header header;
    std::unordered_map<std::string_view, size_t> index;
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (fd >= 0) ::close(fd);
    }
    void setUpIndex() {
        for (size_t i = 0; i < header.tensors.size(); ++i) index.emplace(header.tensors[i].name, i);
    }
    Status readRows(const TensorInfo& tensor, char* dst, uint64_t offset, uint64_t size) const;
};

// Row by row: row j * D/2 + i of a head of D rows is stored as its row 2 i + j (export.md 5.6).
Status TensorFile::State::readRows(const TensorInfo& tensor, char* dst, uint64_t offset, uint64_t size) const {
    const auto half = static_cast<uint64_t>(tensor.headRows / 2);
    const uint64_t rowBytes = tensor.bytes() / static_cast<uint64_t>(tensor.shape.front());
    while (size > 0) {
        const uint64_t row = offset / rowBytes, inRow = offset % rowBytes, head = row / (2 * half), r = row % (2 * half);
        const uint64_t stored = head * 2 * half + 2 * (r % half) + r / half;
        const uint64_t n = std::min(size, rowBytes - inRow);
        QW_CHECK(readAt(fd, path, dst, n, header.dataStart + tensor.begin + stored * rowBytes + inRow));
        dst += n;
        offset += n;
        size -= n;
    }
    return {};
}

Result<std::shared_ptr<TensorFile::State>> TensorFile::openFile(const std::filesystem::path& path) {
    auto state = std::make_shared<State>();
    state->path = path;
    state->fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); // O_NONBLOCK: a FIFO must not hang us
    if (state->fd < 0) return errnoError(errno, "open", path);
    struct stat info {};
    if (::fstat(state->fd, &info) != 0) return errnoError(errno, "read", path);
    if (!S_ISREG(info.st_mode))
        return Error{"file.unsafe", path.string() + " is not a regular file", "weights must be ordinary files", {}, false};
    state->size = static_cast<uint64_t>(info.st_size);
    return state;
}

Result<TensorFile> TensorFile::openGguf(const std::filesystem::path& path) {
    QW_TRY(auto state, openFile(path));
    const auto read = [&](uint64_t offset, void* dst, uint64_t size) { return readAt(state->fd, path, dst, size, offset); };
    auto contents = parseGguf(read, state->size);
    if (!contents) return std::move(contents).error().at(path.string());
    auto header = headerOfGguf(*std::move(contents));
    if (!header) return std::move(header).error().at(path.string());
    state->header = *std::move(header);
    state->setUpIndex();
    TensorFile file;
    file.m_state = std::move(state);
    return file;
}

Result<TensorFile> TensorFile::open(const std::filesystem::path& path) {
    QW_TRY(auto state, openFile(path));
    if (state->size < 8) return truncated(path, "has " + std::to_string(state->size) + " bytes, a safetensors file has at least 8");
    std::array<unsigned char, 8> prefix{};
    QW_CHECK(readAt(state->fd, path, prefix.data(), 8, 0));
    uint64_t length = 0;
    for (int i = 7; i >= 0; --i) length = length << 8 | prefix[static_cast<size_t>(i)];
    const auto refuse = [&](const std::string& what) {
        return Error{"model.format", path.string() + ": " + what, "this is no valid safetensors file: fetch or write it again", {}, false};
    };
    if (length > kMaxHeaderBytes)
        return refuse("bytes 0-7 announce a header of " + std::to_string(length) + " bytes, at most " + std::to_string(kMaxHeaderBytes) +
                      " are allowed");
    if (length < 2) return refuse("bytes 0-7 announce a header of " + std::to_string(length) + " bytes, an empty one has 2");
    if (length > state->size - 8)
        return truncated(path, "bytes 0-7 announce a header of " + std::to_string(length) + " bytes, the file has only " +
                                   std::to_string(state->size - 8) + " behind byte 8");
    std::string text(length, '\0');
    QW_CHECK(readAt(state->fd, path, text.data(), length, 8));
    auto header = parseHeader(text, state->size - 8 - length);
    if (!header) return std::move(header).error().at(path.string());
    state->header = *std::move(header);
    state->setUpIndex();
    state->header.dataStart = 8 + length;
    TensorFile file;
    file.m_state = std::move(state);
    return file;
}

const std::filesystem::path& TensorFile::path() const { return m_state->path; }
const std::vector<TensorInfo>& TensorFile::tensors() const { return m_state->header.tensors; }
const std::map<std::string, std::string>& TensorFile::metadata() const { return m_state->header.metadata; }
uint64_t TensorFile::fileBytes() const { return m_state->size; }

const TensorInfo* TensorFile::find(std::string_view name) const {
    const auto at = m_state->index.find(name);
    return at == m_state->index.end() ? nullptr : &m_state->header.tensors[at->second];
}

Status TensorFile::read(const TensorInfo& tensor, void* dst, uint64_t offset, uint64_t size) const {
    if (offset > tensor.bytes() || size > tensor.bytes() - offset)
        return Error{"engine.internal", m_state->path.string() + ": read outside of tensor " + tensor.name, {}, {}, false};
    if (tensor.headRows > 0) return m_state->readRows(tensor, static_cast<char*>(dst), offset, size);
    return readAt(m_state->fd, m_state->path, dst, size, m_state->header.dataStart + tensor.begin + offset);
}

Status TensorFile::readRaw(uint64_t offset, void* dst, uint64_t size) const {
    if (offset > m_state->size || size > m_state->size - offset)
        return Error{"engine.internal", m_state->path.string() + ": read outside of the file", {}, {}, false};
    return readAt(m_state->fd, m_state->path, dst, size, offset);
}

} // namespace qw::checkpoint
