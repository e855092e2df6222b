// SPDX-License-Identifier: GPL-3.0-or-later
// What: collects what is wrong with a user's file, so that one look mends up to 20 lines.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace qw::tasks {

class Problems {
public:
    explicit Problems(std::filesystem::path path) : m_path(std::move(path)) {}
    void add(int64_t line, const std::string& field, const std::string& what) {
        m_list.push_back(m_path.string() + ":" + std::to_string(line) + ": " + (field.empty() ? what : field + ": " + what));
    }
    [[nodiscard]] bool empty() const { return m_list.empty(); }
    [[nodiscard]] bool full() const { return m_list.size() >= 20; }
    [[nodiscard]] Error error() const {
        std::string all;
        for (const std::string& one : m_list) all += (all.empty() ? "" : "\n") + one;
        if (full()) all += "\n(no more than 20 are listed)";
        return {"data.unreadable", all, "mend the lines named and try again", {}, false};
    }

private:
    std::filesystem::path m_path;
    std::vector<std::string> m_list;
};

} // namespace qw::tasks
