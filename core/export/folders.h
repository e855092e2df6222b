// SPDX-License-Identifier: GPL-3.0-or-later
// What: writes model folders: Hugging Face in T (latent weights) and our native quantized form (export.md 6, 6.1). Temporary folder, fsync,
// rename.
#pragma once

#include "checkpoint/checkpoint.h"
#include "quant/quantizer.h"

#include <filesystem>

namespace qw::exporter {

struct Written {
    uint64_t bytes = 0; // of the weight files
    std::string hash;   // XXH3-128 over the weight files' digests
};

// config.json, tokenizer and side files are copied from source; weights from the decoder, rounded to type. Tied lm_head omitted.
// file.unsafe when out exists and is not empty and overwrite is off. Verified after writing.
[[nodiscard]] Result<Written> writeHuggingFace(const model::Decoder& decoder, const std::filesystem::path& source,
                                               const std::filesystem::path& out, records::DType type, bool overwrite);
// Quantized modules as codes and scales, everything else in T. Verified after writing: read back, dequantize(file) == fake-quantized weight
// bit for bit.
[[nodiscard]] Result<Written> writeNative(const model::Decoder& decoder, const quant::Plan& plan, records::DType exportType,
                                          const std::string& method, const std::filesystem::path& source, const std::filesystem::path& out,
                                          bool overwrite);

// Re-opens a folder that was written from this decoder and compares every matrix with it, bit for bit. plan: null for a Hugging Face
// folder. file.corrupt names the first layer that differs.
[[nodiscard]] Status verifyFolder(const model::Decoder& decoder, const quant::Plan* plan, records::DType type, const std::string& method,
                                  const std::filesystem::path& folder);

} // namespace qw::exporter
