// SPDX-License-Identifier: GPL-3.0-or-later
// What: a run that belongs to no study (`qatw eval`, `qatw ptq`): its folder with everything the engine reads.
#pragma once

#include "base/result.h"
#include "records/recipe.h"
#include "wire/run_folder.h"

#include <filesystem>
#include <string>

namespace qw::drive {

// run.json, config.yaml and config.resolved.json. recipeText: what the user wrote; empty: the resolved recipe.
[[nodiscard]] Result<wire::RunFolder> makeRun(const std::filesystem::path& project, records::RunIdentity& identity,
                                              const records::Recipe& recipe, const std::string& recipeText);

} // namespace qw::drive
