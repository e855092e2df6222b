// SPDX-License-Identifier: GPL-3.0-or-later
// What: ULIDs (github.com/ulid/spec) and slugs, the two parts of a run's folder name.
#pragma once

#include <string>
#include <string_view>

namespace qw {

[[nodiscard]] std::string newUlid();                   // 26 characters, sorts by creation time, monotonic inside a process
[[nodiscard]] std::string slug(std::string_view name); // lower-case ASCII letters, digits and '-', at most 40 characters, never empty

} // namespace qw
