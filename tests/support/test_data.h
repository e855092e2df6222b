// SPDX-License-Identifier: GPL-3.0-or-later
// What: where tests find files: the reference data beside the checkout, fixtures in the tree, a fresh temporary folder.
#pragma once

#include <QtTest>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace qw::test {

// The reference data folder, or empty when it is not at hand (QATW_TEST_DATA, else ../shared/data beside the checkout).
inline std::filesystem::path referenceData() {
    const char* fromEnv = std::getenv("QATW_TEST_DATA");
    const std::filesystem::path dir =
        fromEnv && *fromEnv ? std::filesystem::path(fromEnv) : std::filesystem::path(QW_SOURCE_DIR) / "../shared/data";
    return std::filesystem::is_directory(dir) ? std::filesystem::canonical(dir) : std::filesystem::path();
}

inline void writeText(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

inline std::string readText(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline std::filesystem::path fixtures() { return std::filesystem::path(QW_SOURCE_DIR) / "tests/data"; }

class TempDir {
public:
    TempDir() {
        std::string pattern = (std::filesystem::temp_directory_path() / "qatw-XXXXXX").string();
        if (::mkdtemp(pattern.data())) m_path = pattern;
    }
    ~TempDir() {
        std::error_code ignored;
        if (!m_path.empty()) std::filesystem::remove_all(m_path, ignored);
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

private:
    std::filesystem::path m_path;
};

// Empty folders of one test program.
class TempFolders {
public:
    [[nodiscard]] std::filesystem::path fresh() {
        const std::filesystem::path dir = m_root.path() / std::to_string(++m_count);
        std::filesystem::create_directories(dir);
        return dir;
    }

private:
    TempDir m_root;
    int m_count = 0;
};

} // namespace qw::test

#define QW_NEEDS_REFERENCE_DATA()                                                                                                          \
    if (qw::test::referenceData().empty()) QSKIP("reference data not found: set QATW_TEST_DATA to its folder")
