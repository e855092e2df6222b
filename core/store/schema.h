// SPDX-License-Identifier: GPL-3.0-or-later
// What: the schema, its version, and the steps from one version to the next. Internal to core/store.
#pragma once

#include "store/database.h"

#include <span>
#include <string>

namespace qw::store {

constexpr int kSchemaVersion = 1;
constexpr int64_t kApplicationId = 0x51415457; // "QATW"

struct Migration {
    int to; // user_version after it
    const char* sql;
};
[[nodiscard]] std::span<const Migration> migrations(); // version 1 is the first

// Brings a database to the last of steps, each in one transaction; an older database that holds data is copied to store-v<old>.bak first (3
// are kept).
[[nodiscard]] Status migrate(Database& db, const std::filesystem::path& file, std::span<const Migration> steps = migrations());

} // namespace qw::store
