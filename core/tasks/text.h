// SPDX-License-Identifier: GPL-3.0-or-later
// What: the string operations that the tasks' rules are made of, with Python's meaning of white space.
#pragma once

#include <string>
#include <string_view>

namespace qw::tasks {

[[nodiscard]] std::string_view trimmed(std::string_view text); // both ends, Unicode white space
[[nodiscard]] bool isBlank(std::string_view text);
// Every match, left to right, without looking at what was put in.
void replaceAll(std::string& text, std::string_view find, std::string_view put);
[[nodiscard]] std::string withLf(std::string text); // CRLF and CR become LF

} // namespace qw::tasks
