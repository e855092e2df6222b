// SPDX-License-Identifier: GPL-3.0-or-later
// What: the token stream of a data list, and its file in the project's cache folder.
// File: "QWTOK1\n\0", u64 size of the header, header JSON (names everything the tokens depend on), u64 size of the facts, facts JSON,
// zeros up to a multiple of 8, u64 document offsets (documents + 1), u32 tokens; little endian. Its name is the header's XXH3-128.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace qw::data {

struct StreamFacts {
    std::vector<int64_t> documentsPerSource;
    int64_t badLines = 0, unknownTokens = 0, droppedScalars = 0, emptyDocuments = 0;
    std::string digest; // XXH3-128 over offsets and tokens
};

class TokenStream {
public:
    // In memory; digest is filled in.
    [[nodiscard]] static TokenStream make(std::vector<uint64_t> offsets, std::vector<uint32_t> tokens, StreamFacts facts);
    // Mapped from its file. Nothing when there is none or it is not what it should be (another header, damaged, cut short).
    [[nodiscard]] static std::optional<TokenStream> open(const std::filesystem::path& file, const std::string& header);
    // Written beside and renamed: two builders at once do no harm.
    [[nodiscard]] Status save(const std::filesystem::path& file, const std::string& header) const;

    [[nodiscard]] std::span<const uint64_t> offsets() const { return m_offsets; }
    [[nodiscard]] std::span<const uint32_t> tokens() const { return m_tokens; }
    [[nodiscard]] const StreamFacts& facts() const { return m_facts; }

private:
    std::shared_ptr<const void> m_owner; // the vectors or the mapping
    std::span<const uint64_t> m_offsets;
    std::span<const uint32_t> m_tokens;
    StreamFacts m_facts;
};

} // namespace qw::data
