// SPDX-License-Identifier: GPL-3.0-or-later
// What: scored items as JSON lines and back: the items file of an evaluation (records::EvalResult::itemsPath).
#pragma once

#include "base/result.h"
#include "records/run.h"

#include <string>
#include <string_view>
#include <vector>

namespace qw::tasks {

// {"item":0,"ll":[…],"correct":1,"correct_norm":0,"tokens":12}, documents with words and bytes instead of correct; numbers round-trip
// exactly.
[[nodiscard]] std::string itemsToJsonLines(const std::vector<records::EvalItem>& items);
// data.unreadable with the line that is not an item.
[[nodiscard]] Result<std::vector<records::EvalItem>> itemsFromJsonLines(std::string_view text);

} // namespace qw::tasks
