// SPDX-License-Identifier: GPL-3.0-or-later
// What: qat_workbench_export.json of a folder that is written from a decoder.
#pragma once

#include "checkpoint/native.h"
#include "quant/quantizer.h"

#include <filesystem>

namespace qw::exporter {

struct Facts {
    std::string format; // "huggingface" | "native"
    records::DType type = records::DType::F32;
    std::string method; // rtn | mse; empty for latent weights
    bool tied = false;  // as the files are written
    const checkpoint::NativeInfo* native = nullptr;
    const quant::Plan* plan = nullptr;
};
// Scheme, per-module parameters, source digest, our version. No time, no path: equal input gives equal bytes.
[[nodiscard]] Result<std::string> exportFacts(const std::filesystem::path& source, const Facts& facts);

} // namespace qw::exporter
