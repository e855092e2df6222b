// SPDX-License-Identifier: GPL-3.0-or-later
// What: pieces of a model folder's weights as numbers, read where they lie; or made-up weights while there is no model.
// Limits: one thread at a time. A quantized module is dequantized as a whole; the last one is kept.
#pragma once

#include "base/result.h"
#include "records/quant_block.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace qw::checkpoint {

class WeightSource {
public:
    [[nodiscard]] static Result<WeightSource> open(const std::filesystem::path& dir);
    // Normal numbers of deviation 0.02, always the same ones, under any name.
    [[nodiscard]] static WeightSource synthetic();

    // Elements [first, first + count) of a stored tensor or of a quantized module's weight, with one rounding. Codes (I8, U8) are numbers
    // too.
    [[nodiscard]] Status read(const std::string& tensor, records::DType type, int64_t first, int64_t count, void* out);

private:
    struct State;
    WeightSource() = default;
    std::shared_ptr<State> m_state;
};

} // namespace qw::checkpoint
