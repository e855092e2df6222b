// SPDX-License-Identifier: GPL-3.0-or-later
// What: quantized matrices as blocks of 32 elements with fp16 numbers: Q4_0, Q4_1, Q8_0 (export.md 5.2 - 5.4), packed from codes.
#pragma once

#include "checkpoint/checkpoint.h"
#include "formats/gguf_file.h"

#include <optional>

namespace qw::formats {

// The block type that holds a module's codes; nothing: its rows or groups are no multiples of 32.
struct BlockChoice {
    std::optional<GgufType> type;
    std::string refusal; // not empty: no type of GGUF has these codes
};
[[nodiscard]] BlockChoice chooseBlocks(const checkpoint::QuantizedModule& module);

// How the fp16 numbers of the file hold a module's groups.
struct BlockVerdict {
    int64_t groups = 0, inexact = 0;
    double worst = 0;    // largest error of a value, in steps of its group
    double tooLarge = 0; // > 0: a scale or an offset beyond fp16
};
[[nodiscard]] Result<BlockVerdict> judgeBlocks(const checkpoint::Checkpoint& source, const checkpoint::QuantizedModule& module,
                                               GgufType type);

// Row r of the file is row rowOf[r] of the module; empty: the same order.
[[nodiscard]] Status writeBlocks(const checkpoint::Checkpoint& source, const checkpoint::QuantizedModule& module, GgufType type,
                                 const std::vector<int64_t>& rowOf, const GgufSink& sink);

// The rows of a source among which some rows of a file are, when row r of the file is row rowOf[r]: they are moved within heads only.
[[nodiscard]] checkpoint::RowRange sourceRows(const std::vector<int64_t>& rowOf, checkpoint::RowRange rows);

// One block. n: 32 codes; of Q4_0 and Q4_1 0 to 15, of Q8_0 -128 to 127. d, m: fp16 bits.
void packQ4(const uint8_t* n, uint8_t* out16);

} // namespace qw::formats
