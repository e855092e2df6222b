// SPDX-License-Identifier: GPL-3.0-or-later
// What: a decoder in GGUF's words (export.md 5.5, 5.6): order of q and k rows, metadata of the architecture.
#pragma once

#include "checkpoint/checkpoint.h"
#include "formats/gguf_file.h"

#include <optional>

namespace qw::formats {

// What the file cannot say about this model, in one sentence; empty when it can.
[[nodiscard]] std::string refusedByGguf(const checkpoint::ModelConfig& config);
// What it leaves out although it can be written.
[[nodiscard]] std::vector<std::string> ggufNotes(const checkpoint::ModelConfig& config);
// "llama-135M": of general.name and the file's name.
[[nodiscard]] std::string ggufName(const checkpoint::Checkpoint& source);
void addArchitecture(GgufMetadata& metadata, const checkpoint::Checkpoint& source, GgufType most);
// Row r of the file is row result[r] of the tensor; empty: the same order.
[[nodiscard]] std::vector<int64_t> ggufRows(const checkpoint::ModelConfig& config, const std::string& name);
// rope_freqs.weight of llama3 scaling: f / f'.
[[nodiscard]] std::optional<std::vector<float>> ropeFrequencyFactors(const checkpoint::ModelConfig& config);

} // namespace qw::formats
