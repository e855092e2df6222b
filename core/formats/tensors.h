// SPDX-License-Identifier: GPL-3.0-or-later
// What: pieces that folder formats share: weights as tensors to write, scales judged against a narrower type, config.json.
#pragma once

#include "checkpoint/native.h"
#include "formats/format.h"

namespace qw::formats {

using Bytes = std::vector<uint8_t>;
template<class T> [[nodiscard]] Bytes bytesFrom(const std::vector<T>& values) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
    return Bytes(bytes, bytes + values.size() * sizeof(T));
}

// A weight in the type it is stored in; that of a quantized module as its values in T.
[[nodiscard]] checkpoint::TensorSource plainTensor(const checkpoint::Checkpoint& source, const checkpoint::ExpectedTensor& tensor);
// Quantized matrices that readers of other formats take as such: linear layers. lm_head and the embedding they want as values.
[[nodiscard]] std::vector<checkpoint::QuantizedModule> linears(const checkpoint::Checkpoint& source);
// Everything of the model but the linears' weights; a note for each quantized matrix among them.
void addOthers(std::vector<checkpoint::TensorSource>& out, const checkpoint::Checkpoint& source);
void noteOthers(const checkpoint::Checkpoint& source, Verdict& verdict);
// Bytes that exist when it is their turn.
[[nodiscard]] checkpoint::TensorSource madeTensor(std::string name, std::string dtype, std::vector<int64_t> shape,
                                                  std::function<Result<Bytes>()> make);
// The same a few rows of the shape's first dimension at a time, so that large tensors never exist as a whole.
[[nodiscard]] checkpoint::TensorSource madeRows(std::string name, std::string dtype, std::vector<int64_t> shape,
                                                std::function<Result<Bytes>(checkpoint::RowRange rows)> make);
// Scales of some rows as fp32; widening is exact. At least one a row: a scale for the whole matrix is repeated.
[[nodiscard]] Result<std::vector<float>> readScales(const checkpoint::Checkpoint& source, const checkpoint::QuantizedModule& module,
                                                    checkpoint::RowRange rows);
// Columns of a scale as readers' kernels take them: wider groups of a scheme are written as several, each with the same scale.
struct WrittenGroup {
    int64_t columns = 0; // 0: a scale a row
    int64_t repeat = 1;  // scales written for each stored one
};
[[nodiscard]] WrittenGroup writtenGroup(const records::QuantBlock& block);
// Each of some numbers several times, one behind the other.
[[nodiscard]] std::vector<float> repeated(const std::vector<float>& values, int64_t times);
// How the scales of a module fare in a narrower type. Groups whose codes are all zero fare well with any scale.
struct ScaleFit {
    int64_t inexact = 0; // rounded
    int64_t outside = 0; // infinite after rounding
};
[[nodiscard]] Result<ScaleFit> judgeScales(const checkpoint::Checkpoint& source, const checkpoint::QuantizedModule& module,
                                           records::DType as);

[[nodiscard]] uint64_t bytesOf(const std::vector<checkpoint::TensorSource>& tensors);
// Writes safetensors under progress.
[[nodiscard]] Status writeTensors(const std::filesystem::path& dir, std::vector<checkpoint::TensorSource> tensors,
                                  const std::map<std::string, std::string>& metadata, const Progress& progress);
struct ConfigChange {
    records::DType type;
    bool tied;
    std::string quantization; // JSON object of quantization_config; empty: none
};
// Only dtype, the tie when it changed and quantization_config differ; everything else stays as it is written.
[[nodiscard]] Result<std::string> adaptedConfig(const std::filesystem::path& source, const ConfigChange& change);
// config.json, side files and the weights: a folder of Hugging Face's kind.
[[nodiscard]] Status writeFolder(const checkpoint::Checkpoint& source, const std::filesystem::path& dir,
                                 std::vector<checkpoint::TensorSource> tensors, const std::map<std::string, std::string>& metadata,
                                 const std::string& quantization, const Progress& progress);

} // namespace qw::formats
