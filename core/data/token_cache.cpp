// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/token_cache.h"

#include "base/digest.h"
#include "base/files.h"

#include <atomic>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace qw::data {
namespace {

constexpr std::string_view kMagic{"QWTOK1\n\0", 8};

std::string digestOf(std::span<const uint64_t> offsets, std::span<const uint32_t> tokens) {
    Xxh3 hash;
    hash.add(offsets.data(), offsets.size_bytes());
    hash.add(tokens.data(), tokens.size_bytes());
    return hash.hex();
}

void putSize(std::string& out, uint64_t value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }

std::string factsJson(const TokenStream& stream) {
    const StreamFacts& facts = stream.facts();
    return nlohmann::json{{"documents", stream.offsets().size() - 1},
                          {"tokens", stream.tokens().size()},
                          {"documents_per_source", facts.documentsPerSource},
                          {"bad_lines", facts.badLines},
                          {"unknown_tokens", facts.unknownTokens},
                          {"dropped_scalars", facts.droppedScalars},
                          {"empty_documents", facts.emptyDocuments},
                          {"digest", facts.digest}}
        .dump();
}

struct Mapping {
    void* bytes = MAP_FAILED;
    size_t size = 0;
    ~Mapping() {
        if (bytes != MAP_FAILED) ::munmap(bytes, size);
    }
};

std::shared_ptr<Mapping> mapFile(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return nullptr;
    struct stat info {};
    auto mapping = std::make_shared<Mapping>();
    if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
        mapping->size = static_cast<size_t>(info.st_size);
        mapping->bytes = ::mmap(nullptr, mapping->size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    ::close(fd);
    return mapping->bytes == MAP_FAILED ? nullptr : mapping;
}

// Reads the sized blocks at the front; every size is checked against what is left.
class Front {
public:
    explicit Front(std::string_view bytes) : m_bytes(bytes) {}
    bool skip(std::string_view expected) {
        if (!m_bytes.substr(m_at).starts_with(expected)) return false;
        m_at += expected.size();
        return true;
    }
    std::optional<std::string_view> block() {
        uint64_t size = 0;
        if (m_bytes.size() - m_at < sizeof size) return std::nullopt;
        std::memcpy(&size, m_bytes.data() + m_at, sizeof size);
        m_at += sizeof size;
        if (size > m_bytes.size() - m_at) return std::nullopt;
        m_at += size;
        return m_bytes.substr(m_at - size, size);
    }
    [[nodiscard]] size_t aligned() const { return (m_at + 7) / 8 * 8; }

private:
    std::string_view m_bytes;
    size_t m_at = 0;
};

Status writeAll(int fd, std::string_view bytes, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errnoError(errno, "write", path);
        bytes.remove_prefix(static_cast<size_t>(n));
    }
    return {};
}

std::string_view bytesOf(const void* data, size_t size) { return {static_cast<const char*>(data), size}; }

} // namespace

TokenStream TokenStream::make(std::vector<uint64_t> offsets, std::vector<uint32_t> tokens, StreamFacts facts) {
    struct Own {
        std::vector<uint64_t> offsets;
        std::vector<uint32_t> tokens;
    };
    auto own = std::make_shared<Own>(Own{std::move(offsets), std::move(tokens)});
    TokenStream stream;
    stream.m_offsets = own->offsets;
    stream.m_tokens = own->tokens;
    stream.m_owner = std::move(own);
    stream.m_facts = std::move(facts);
    stream.m_facts.digest = digestOf(stream.m_offsets, stream.m_tokens);
    return stream;
}

std::optional<TokenStream> TokenStream::open(const std::filesystem::path& file, const std::string& header) {
    const std::shared_ptr<Mapping> mapping = mapFile(file);
    if (!mapping) return std::nullopt;
    const std::string_view bytes = bytesOf(mapping->bytes, mapping->size);
    Front front(bytes);
    if (!front.skip(kMagic)) return std::nullopt;
    const auto sameHeader = front.block();
    if (!sameHeader || *sameHeader != header) return std::nullopt;
    const auto text = front.block();
    const nlohmann::json facts = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
    if (!facts.is_object()) return std::nullopt;
    TokenStream stream;
    size_t documents = 0, tokens = 0;
    try {
        documents = facts.at("documents").get<size_t>();
        tokens = facts.at("tokens").get<size_t>();
        stream.m_facts = {facts.at("documents_per_source").get<std::vector<int64_t>>(),
                          facts.at("bad_lines").get<int64_t>(),
                          facts.at("unknown_tokens").get<int64_t>(),
                          facts.at("dropped_scalars").get<int64_t>(),
                          facts.at("empty_documents").get<int64_t>(),
                          facts.at("digest").get<std::string>()};
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
    const size_t start = front.aligned();
    if (documents > bytes.size() || tokens > bytes.size() || start + (documents + 1) * 8 + tokens * 4 != bytes.size()) return std::nullopt;
    stream.m_offsets = {reinterpret_cast<const uint64_t*>(bytes.data() + start), documents + 1};
    stream.m_tokens = {reinterpret_cast<const uint32_t*>(bytes.data() + start + (documents + 1) * 8), tokens};
    if (digestOf(stream.m_offsets, stream.m_tokens) != stream.m_facts.digest) return std::nullopt;
    stream.m_owner = mapping;
    return stream;
}

Status TokenStream::save(const std::filesystem::path& file, const std::string& header) const {
    static std::atomic<int> counter{0};
    std::string front(kMagic);
    putSize(front, header.size());
    front += header;
    const std::string facts = factsJson(*this);
    putSize(front, facts.size());
    front += facts;
    front.resize((front.size() + 7) / 8 * 8, '\0');
    QW_CHECK(makeDirs(file.parent_path()));
    const std::filesystem::path temporary = file.string() + ".tmp." + std::to_string(::getpid()) + "." + std::to_string(++counter);
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return errnoError(errno, "write", temporary);
    const Status status = [&]() -> Status {
        QW_CHECK(writeAll(fd, front, temporary));
        QW_CHECK(writeAll(fd, bytesOf(m_offsets.data(), m_offsets.size_bytes()), temporary));
        QW_CHECK(writeAll(fd, bytesOf(m_tokens.data(), m_tokens.size_bytes()), temporary));
        if (::fsync(fd) != 0) return errnoError(errno, "write", temporary);
        if (::rename(temporary.c_str(), file.c_str()) != 0) return errnoError(errno, "rename to", file);
        return {};
    }();
    ::close(fd);
    if (!status) ::unlink(temporary.c_str());
    return status;
}

} // namespace qw::data
