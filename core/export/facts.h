// SPDX-License-Identifier: GPL-3.0-or-later
// What: the two JSON files of an exported folder: the adapted config.json and qat_workbench_export.json.
#pragma once

#include "checkpoint/native.h"
#include "quant/quantizer.h"

#include <filesystem>

namespace qw::exporter {

inline constexpr const char* kExportFile = "qat_workbench_export.json";

struct Facts {
    std::string format; // "huggingface" | "native"
    records::DType type = records::DType::F32;
    std::string method; // rtn | mse; empty for latent weights
    bool tied = false;  // as the files are written
    const checkpoint::NativeInfo* native = nullptr;
    const quant::Plan* plan = nullptr;
};
// The source's config.json: only dtype, the tie when it changed and quantization_config differ; everything else stays as it is written.
[[nodiscard]] Result<std::string> adaptedConfig(const std::filesystem::path& source, const Facts& facts);
// Scheme, per-module parameters, source digest, our version. No time, no path: equal input gives equal bytes.
[[nodiscard]] Result<std::string> exportFacts(const std::filesystem::path& source, const Facts& facts);

} // namespace qw::exporter
