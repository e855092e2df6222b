// SPDX-License-Identifier: GPL-3.0-or-later
// What: which build this is. Tool, window and engine of one build carry the same id; hello refuses another one.
#pragma once

#include <string_view>

namespace qw {

[[nodiscard]] std::string_view version(); // of the product, e.g. "0.1.0"
[[nodiscard]] std::string_view buildId(); // digest over all our sources

} // namespace qw
