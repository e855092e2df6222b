// SPDX-License-Identifier: GPL-3.0-or-later
// What: published results become runs of the project: a folder with its event log each, so that the store can be rebuilt from them.
#pragma once

#include "base/result.h"
#include "store/store.h"
#include "study/published.h"

#include <filesystem>
#include <string>
#include <vector>

namespace qw::drive {

// Uids of the new runs, tagged "published". Rows of one file may be held against each other, and against nothing else.
[[nodiscard]] Result<std::vector<std::string>> importResults(store::Store& store, const std::filesystem::path& file);

} // namespace qw::drive
