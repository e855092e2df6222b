// SPDX-License-Identifier: GPL-3.0-or-later
#include "project_store.h"

#include "base/utf8.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <iostream>

namespace qw::cli {

std::filesystem::path projectFolder(const std::string& option) {
    return option.empty() ? store::defaultProject() : std::filesystem::path(option);
}

Result<store::Store> openProject(const std::string& option) {
    const auto folder = projectFolder(option);
    std::error_code missing;
    if (!std::filesystem::is_directory(folder, missing))
        return Error{"file.not_found",
                     "there is no project at " + folder.string(),
                     "name its folder with --project, or run a recipe first",
                     {},
                     false};
    auto opened = store::Store::open(folder);
    if (!opened && opened.error().code == "file.permission") {
        std::cerr << "note: " << opened.error().message << "; showing what was known when it was last written\n";
        opened = store::Store::open(folder, store::OpenMode::ReadOnly);
    }
    if (!opened) return opened;
    if (!opened->readOnly()) QW_CHECK(opened->sync());
    for (const std::string& note : opened->notes()) std::cerr << "note: " << note << '\n';
    return opened;
}

std::string textTable(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right) {
    std::vector<size_t> widths(right.size(), 0);
    for (const auto& row : rows)
        for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], countCodePoints(row[i]));
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (size_t i = 0; i < row.size(); ++i) {
            const std::string pad(widths[i] - countCodePoints(row[i]), ' ');
            line += (i ? "  " : "") + (right[i] ? pad + row[i] : row[i] + pad);
        }
        while (!line.empty() && line.back() == ' ') line.pop_back();
        out += line + "\n";
    }
    return out;
}

std::string timeText(int64_t ms) {
    if (ms <= 0) return "-";
    const std::time_t seconds = ms / 1000;
    std::tm local{};
    localtime_r(&seconds, &local);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &local);
    return text.data();
}

std::string bytesText(int64_t bytes) {
    static constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB"};
    auto value = static_cast<double>(bytes);
    size_t unit = 0;
    for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.2f %s", value, kUnits[unit]);
    return text.data();
}

std::string numberText(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6g", value);
    return text.data();
}

} // namespace qw::cli
