// SPDX-License-Identifier: GPL-3.0-or-later
// What: the known word nearest to a mistyped one, for messages.
#pragma once

#include <string>
#include <vector>

namespace qw::config {

// "; did you mean 'x'?" or, when nothing is near, an empty string.
[[nodiscard]] std::string didYouMean(const std::string& word, const std::vector<std::string>& known);

} // namespace qw::config
