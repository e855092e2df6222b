// SPDX-License-Identifier: GPL-3.0-or-later
// What: the documents of one data source, read one after the other: text and JSON lines, plain or gzipped.
#pragma once

#include "base/result.h"
#include "records/recipe.h"

#include <cstdint>
#include <functional>
#include <string>

namespace qw::data {

struct ReadFacts {
    int64_t documents = 0; // good ones in the file, also those outside the wanted range
    int64_t lines = 0, badLines = 0;
};
// text: one document, valid UTF-8; done: bytes of the file read so far (compressed ones when it is gzipped). An error ends the reading.
using Visit = std::function<Status(const std::string& text, int64_t done)>;

// Every document, in order. Malformed lines are skipped and counted; above the share maxBad the first one is the error.
// data.unreadable with path:line and byte, data.empty.
[[nodiscard]] Result<ReadFacts> readDocuments(const records::DataSource& source, double maxBad, const Visit& visit);

} // namespace qw::data
