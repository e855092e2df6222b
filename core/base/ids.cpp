// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/ids.h"

#include "base/clock.h"

#include <array>
#include <cstdint>
#include <mutex>
#include <random>

namespace qw {

std::string newUlid() {
    static std::mutex mutex;
    static std::random_device device;
    static uint64_t lastMs = 0;
    static std::array<uint8_t, 16> random{}; // 16 base-32 digits = 80 bits
    const std::lock_guard lock(mutex);
    const auto ms = static_cast<uint64_t>(wallMs());
    if (ms <= lastMs) {
        // Same millisecond or a clock that went back: count up, so ids of one process always sort in creation order.
        for (size_t i = random.size(); i-- > 0;) {
            random[i] = (random[i] + 1) & 31;
            if (random[i] != 0) break;
        }
    } else {
        lastMs = ms;
        for (auto& digit : random) digit = device() & 31;
    }
    static constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    std::string id(26, '0');
    for (int i = 0; i < 10; ++i) id[static_cast<size_t>(9 - i)] = kAlphabet[(lastMs >> (5 * i)) & 31];
    for (size_t i = 0; i < 16; ++i) id[10 + i] = kAlphabet[random[i]];
    return id;
}

std::string slug(std::string_view name) {
    std::string out;
    for (const char c : name) {
        const bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (keep)
            out += c;
        else if (c >= 'A' && c <= 'Z')
            out += static_cast<char>(c - 'A' + 'a');
        else if (!out.empty() && out.back() != '-')
            out += '-';
        if (out.size() == 40) break;
    }
    while (!out.empty() && out.back() == '-') out.pop_back();
    return out.empty() ? "unnamed" : out;
}

} // namespace qw
