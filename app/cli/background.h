// SPDX-License-Identifier: GPL-3.0-or-later
// What: work that goes on in a session of its own, outliving the terminal or the window that asked for it.
#pragma once

#include "base/result.h"

#include <filesystem>
#include <functional>
#include <sys/types.h>

namespace qw::cli {

// Forks; the child runs `work` with its words in `log` and ends with its exit code. No database may be open meanwhile.
[[nodiscard]] Result<pid_t> goOnInBackground(const std::filesystem::path& log, const std::function<int()>& work);

} // namespace qw::cli
