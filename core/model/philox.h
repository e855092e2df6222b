// SPDX-License-Identifier: GPL-3.0-or-later
// What: Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405): random numbers as a pure function of (seed, stream, index).
#pragma once

#include <array>
#include <cstdint>

namespace qw::model {

// Streams keep independent uses of one seed apart (training.md 12).
enum class Stream : uint32_t { Init = 1, Sampling = 2, Telemetry = 3 };

[[nodiscard]] inline std::array<uint32_t, 4> philox(uint64_t seed, Stream stream, uint32_t substream, uint64_t index) {
    std::array<uint32_t, 4> c{static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), substream, static_cast<uint32_t>(stream)};
    auto k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
        const uint64_t a = uint64_t{0xD2511F53} * c[0], b = uint64_t{0xCD9E8D57} * c[2];
        c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(b), static_cast<uint32_t>(a >> 32) ^ c[3] ^ k1,
             static_cast<uint32_t>(a)};
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return c;
}

// In (0, 1], 32 bits.
[[nodiscard]] inline double unitInterval(uint32_t bits) { return (static_cast<double>(bits) + 1) / 4294967296.0; }

} // namespace qw::model
