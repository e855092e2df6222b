// SPDX-License-Identifier: GPL-3.0-or-later
// What: one request to whoever works on a run (its engine) or on a study (its supervisor).
// Why here: `qatw pause …` and the window's buttons send the same.
#pragma once

#include "base/result.h"
#include "wire/run_folder.h"

#include <filesystem>
#include <string>

namespace qw::drive {

// op: pause | resume | stop | checkpoint | set (runs only); params: a JSON object. The answer's JSON; engine.state when nobody works on it.
[[nodiscard]] Result<std::string> controlRun(const wire::RunFolder& folder, const std::string& op, const std::string& params);
[[nodiscard]] Result<std::string> controlStudy(const std::filesystem::path& dir, const std::string& op, const std::string& params);
// The same for a run or study of the project by its whole uid, found by the name of its folder.
[[nodiscard]] Result<std::string> control(const std::filesystem::path& project, const std::string& uid, const std::string& op,
                                          const std::string& params);

} // namespace qw::drive
