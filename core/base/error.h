// SPDX-License-Identifier: GPL-3.0-or-later
// What: one error: a stable dotted code, one plain sentence that names the object, and what the user can do.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace qw {

struct Error {
    std::string code;    // e.g. "model.shard_missing"; the list is in error.cpp, beside the exit codes
    std::string message; // one sentence; names file, line or tensor
    std::string hint;    // what to do next; may be empty
    std::string detail;  // JSON object text with structured facts; may be empty
    bool retry = false;  // the same request could succeed later

    // Puts "where: " before the message, e.g. a path or "path:line".
    [[nodiscard]] Error at(std::string_view where) && {
        message = std::string(where) + ": " + message;
        return std::move(*this);
    }
};

// Process exit codes: 0 done, 2 usage, 3 config, 4 data or model, 5 diverged, 6 memory, 7 disk, 70 internal, 75 temporary, 78 version.
[[nodiscard]] int exitCode(std::string_view errorCode);

} // namespace qw
