// SPDX-License-Identifier: GPL-3.0-or-later
// What: the description that a native quantized folder keeps in its first shard's __metadata__["qat_workbench"] (export.md 6.1),
// and the names, dtypes and shapes under which one quantized matrix is stored.
#pragma once

#include "checkpoint/checkpoint.h"

namespace qw::checkpoint {

inline constexpr const char* kNativeKey = "qat_workbench"; // of __metadata__, and quant_method in config.json
inline constexpr int kNativeFormat = 1;
inline constexpr const char* kCodesSuffix = ".weight.codes";
inline constexpr const char* kScaleSuffix = ".weight.scale";
inline constexpr const char* kZeroSuffix = ".weight.zero";

struct NativeInfo {
    records::DType type = records::DType::F32; // T
    std::vector<records::QatBlock> schemes;
    struct Module {
        std::string name;
        size_t scheme = 0; // index into schemes
        bool packed = false;
        int64_t rows = 0, cols = 0;
    };
    std::vector<Module> modules;
    std::vector<std::pair<std::string, std::string>> skipped; // module, reason
};
[[nodiscard]] std::string nativeToJson(const NativeInfo& info);
[[nodiscard]] std::string schemesToJson(const std::vector<records::QatBlock>& schemes);
[[nodiscard]] Result<NativeInfo> nativeFromJson(std::string_view json);

[[nodiscard]] records::Role roleOfModule(std::string_view name); // the embedding table, or a weight
// The block of a scheme that a module was quantized with; null when the scheme has none for it.
[[nodiscard]] const records::QuantBlock* blockFor(const records::QatBlock& scheme, std::string_view module);

// How one matrix lies in the file.
struct NativeLayout {
    numerics::Grid grid;
    bool packed = false; // codes of fewer than 8 bits
    bool isSigned = true;
    std::string codesDtype, scaleDtype; // "I8" or "U8"; "F32" …
    std::string zeroDtype;              // empty: none; integer zero points: "I32", smaller when they fit
    std::vector<int64_t> codesShape, scaleShape;
    [[nodiscard]] int64_t groups() const; // scales in the matrix
};
[[nodiscard]] Result<NativeLayout> nativeLayout(const records::QuantBlock& block, std::string_view module, records::DType type,
                                                int64_t rows, int64_t cols);

} // namespace qw::checkpoint
