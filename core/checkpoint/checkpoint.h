// SPDX-License-Identifier: GPL-3.0-or-later
// What: a model folder (Hugging Face, or quantized in a format that we read) opened and checked: config, shards, tensors, fingerprint.
#pragma once

#include "checkpoint/model_config.h"
#include "checkpoint/safetensors.h"
#include "numerics/fake_quant.h"

#include <functional>
#include <memory>

namespace qw::checkpoint {

struct RowRange {
    int64_t first = 0, count = 0;
};
// Ranges of a few MB each, in order (performance.md 6); a row is never cut. bytesPerRow: of what the caller holds at a time.
[[nodiscard]] Status forRowBlocks(int64_t rows, int64_t bytesPerRow, const std::function<Status(RowRange)>& each);

struct QuantizedModule {
    std::string name;          // module, without ".weight"
    records::QuantBlock block; // what it was quantized with
    int64_t rows = 0, cols = 0;
    numerics::Grid grid;
    [[nodiscard]] int64_t groups() const { return grid.rows * grid.groupsPerRow(); } // scales in the matrix
    [[nodiscard]] bool oneScale() const { return grid.cols != cols; }                // for the whole matrix
    [[nodiscard]] RowRange all() const { return {0, rows}; }
    [[nodiscard]] RowRange groupsOf(RowRange some) const; // scales that belong to some rows
    [[nodiscard]] numerics::Grid gridOf(RowRange some) const;
};

struct Problem {
    bool isError = false;
    std::string code, message, hint;
};

class Checkpoint {
public:
    // dir: a model folder, or a GGUF file with config.json and tokenizer beside it. tie: auto | true | false (recipe model.tie). Fails on
    // the first thing that makes the folder unusable.
    [[nodiscard]] static Result<Checkpoint> open(const std::filesystem::path& dir, const std::string& tie = "auto");

    [[nodiscard]] const std::filesystem::path& dir() const;
    [[nodiscard]] const ModelConfig& config() const;
    [[nodiscard]] bool tied() const;                 // resolved against the files
    [[nodiscard]] const std::string& format() const; // huggingface | native | compressed-tensors | gptq | gguf
    [[nodiscard]] bool isQuantized() const;          // it holds codes
    [[nodiscard]] records::DType dtype() const;      // of the weights; quantized: T
    [[nodiscard]] const std::vector<TensorFile>& shards() const;
    [[nodiscard]] const std::vector<ExpectedTensor>& tensors() const; // what the model consists of; each can be read
    [[nodiscard]] const std::vector<QuantizedModule>& quantizedModules() const;
    [[nodiscard]] const std::vector<records::QatBlock>& schemes() const;                   // resolved; empty when not quantized
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& skipped() const; // module, reason
    [[nodiscard]] const std::vector<Problem>& warnings() const;
    [[nodiscard]] int64_t parameters() const; // tied matrices counted once
    [[nodiscard]] uint64_t bytes() const;     // of the weight files

    // Where a stored tensor lies, or null. Names as in the files.
    [[nodiscard]] const TensorInfo* find(std::string_view name) const;
    [[nodiscard]] Status read(std::string_view name, void* dst) const;
    // A weight as numbers of type `as` (F32, BF16 or F16), row-major; converts with one rounding; quantized modules are dequantized
    // to T first.
    [[nodiscard]] Status readAs(std::string_view name, records::DType as, void* dst) const;
    [[nodiscard]] Status readRows(std::string_view name, records::DType as, RowRange rows, void* dst) const; // of a vector: elements
    // Codes (one int8 per element), scale and zero bytes of a quantized module, unpacked; shapes as numerics::Outputs. Any may be null.
    [[nodiscard]] Status readCodes(const QuantizedModule& module, int8_t* codes, void* scale, void* zero) const;
    [[nodiscard]] Status readCodes(const QuantizedModule& module, RowRange rows, int8_t* codes, void* scale, void* zero) const;
    // XXH3-128 over config.json and all weight bytes; computed on first use (reads everything once).
    [[nodiscard]] Result<std::string> fingerprint() const;

private:
    struct State;
    std::shared_ptr<State> m_state;
};

} // namespace qw::checkpoint
