// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/digest.h"

#include "base/files.h"

#include <cerrno>
#include <fcntl.h>
#include <sha2.h>
#include <unistd.h>
#include <vector>
#include <xxhash.h>

namespace qw {
namespace {

std::string toHex(const uint8_t* bytes, size_t size) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out(size * 2, '0');
    for (size_t i = 0; i < size; ++i) {
        out[2 * i] = kDigits[bytes[i] >> 4];
        out[2 * i + 1] = kDigits[bytes[i] & 15];
    }
    return out;
}

std::string toHex(XXH128_hash_t hash) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    return toHex(canonical.digest, sizeof canonical.digest);
}

} // namespace

struct Xxh3::State {
    XXH3_state_t* xxh = XXH3_createState();
    ~State() { XXH3_freeState(xxh); }
};

Xxh3::Xxh3() : m_state(std::make_unique<State>()) { XXH3_128bits_reset(m_state->xxh); }
Xxh3::~Xxh3() = default;
void Xxh3::add(const void* bytes, size_t size) { XXH3_128bits_update(m_state->xxh, bytes, size); }
std::string Xxh3::hex() const { return toHex(XXH3_128bits_digest(m_state->xxh)); }

std::string xxh3Hex(std::string_view bytes) { return toHex(XXH3_128bits(bytes.data(), bytes.size())); }

std::string sha256Hex(std::string_view bytes) {
    SHA2_CTX context;
    SHA256Init(&context);
    SHA256Update(&context, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256Final(digest, &context);
    return toHex(digest, sizeof digest);
}

Result<std::string> xxh3File(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errnoError(errno, "open", path);
    Xxh3 hash;
    std::vector<char> buffer(1 << 20);
    ssize_t n = 0;
    while ((n = ::read(fd, buffer.data(), buffer.size())) > 0) hash.add(buffer.data(), static_cast<size_t>(n));
    const int errnum = errno;
    ::close(fd);
    if (n < 0) return errnoError(errnum, "read", path);
    return hash.hex();
}

} // namespace qw
