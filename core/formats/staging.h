// SPDX-License-Identifier: GPL-3.0-or-later
// What: a folder that becomes visible only when it is complete: written beside its target, synced, renamed.
#pragma once

#include "base/result.h"

#include <filesystem>

namespace qw::formats {

inline constexpr const char* kExportFile = "qat_workbench_export.json"; // in every folder that this program writes
// The folder was written by this program: the only kind that an export replaces.
[[nodiscard]] bool isExport(const std::filesystem::path& folder);

class Staging {
public:
    // file.unsafe when target exists and is not empty, unless overwrite is on and isExport.
    [[nodiscard]] static Result<Staging> begin(const std::filesystem::path& target, bool overwrite);
    Staging(Staging&& other) noexcept;
    Staging& operator=(Staging&&) = delete;
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;
    ~Staging(); // removes what was not committed

    [[nodiscard]] const std::filesystem::path& dir() const { return m_dir; }
    [[nodiscard]] Status commit(); // an existing target is moved aside first and removed afterwards

private:
    Staging(std::filesystem::path target, std::filesystem::path dir) : m_target(std::move(target)), m_dir(std::move(dir)) {}
    std::filesystem::path m_target, m_dir;
};

// Tokenizer, generation settings, licence and readme (models.md 1.5), byte for byte.
[[nodiscard]] Status copySideFiles(const std::filesystem::path& source, const std::filesystem::path& into);

} // namespace qw::formats
