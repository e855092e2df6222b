// SPDX-License-Identifier: GPL-3.0-or-later
// What: a tokenizer.json in GGUF's words (export.md 5.7), for the readers that split text themselves.
#pragma once

#include "formats/gguf_file.h"

namespace qw::formats {

// dir: the model folder; rows: of the embedding. Fails with one sentence when llama.cpp would give other ids.
[[nodiscard]] Status addTokenizer(GgufMetadata& metadata, const std::filesystem::path& dir, int64_t rows, std::vector<std::string>& notes);

} // namespace qw::formats
