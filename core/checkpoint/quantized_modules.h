// SPDX-License-Identifier: GPL-3.0-or-later
// What: the quantized matrices of a model folder, whatever its format: which there are, and their codes, scales and zero points.
// Why here: one reader a format derives from this; everything above sees one kind of quantized model (export.md 10).
#pragma once

#include "checkpoint/weight_files.h"
#include "numerics/fake_quant.h"

#include <map>

namespace qw::checkpoint {

struct QuantizedContents {
    records::DType type = records::DType::F32; // T
    std::vector<QuantizedModule> list;
    std::vector<records::QatBlock> schemes;
    std::vector<std::pair<std::string, std::string>> skipped; // module, reason
};

class QuantizedModules : public QuantizedContents {
public:
    virtual ~QuantizedModules() = default;

    [[nodiscard]] const QuantizedModule* find(std::string_view name) const; // null: that module is stored plainly
    // model.shape when a part is missing or has another dtype or shape than the format says.
    [[nodiscard]] virtual Status check(const WeightFiles& files, const QuantizedModule& module) const = 0;
    // Codes (one int8 per element), scales and zero points of some rows as numerics::Outputs has them; any may be null.
    [[nodiscard]] virtual Status read(const WeightFiles& files, const QuantizedModule& module, RowRange rows, int8_t* codes, void* scale,
                                      void* zero) const = 0;
    [[nodiscard]] virtual std::vector<std::string> parts(const QuantizedModule& module) const = 0; // names of its tensors in the files
    // The values in T, then converted with one rounding.
    [[nodiscard]] virtual Status dequantize(const WeightFiles& files, const QuantizedModule& module, RowRange rows, records::DType as,
                                            void* dst) const;
};

// One stored part of a quantized matrix; with dst null only dtype and shape are checked.
[[nodiscard]] Status readPart(const WeightFiles& files, const std::string& name, const std::string& dtype,
                              const std::vector<int64_t>& shape, void* dst);

// Some of the shape's first dimension of it.
[[nodiscard]] Status readPart(const WeightFiles& files, const std::string& name, const std::string& dtype,
                              const std::vector<int64_t>& shape, RowRange rows, void* dst);

[[nodiscard]] std::string shapeWords(const std::vector<int64_t>& shape); // "[64,32]"
[[nodiscard]] Error shapeError(const std::string& what,
                               const std::string& hint = "config.json and the weights are of different models: fetch both again");

inline constexpr const char* kCompressedTensors = "compressed-tensors"; // values of quant_method
inline constexpr const char* kGptq = "gptq";

// Our own native folder: what it holds is in the first shard's __metadata__ (export.md 6.1).
[[nodiscard]] Result<std::unique_ptr<QuantizedModules>> openNativeModules(const WeightFiles& files);
// config: text of config.json, whose quantization_config says how the matrices lie (export.md 4). model.format names what cannot be read.
[[nodiscard]] Result<std::unique_ptr<QuantizedModules>> openCompressedTensors(const WeightFiles& files, std::string_view config,
                                                                              const ModelConfig& model);
// A GGUF file (export.md 5); null when it holds no quantized matrix.
[[nodiscard]] Result<std::unique_ptr<QuantizedModules>> openGgufModules(const WeightFiles& files, const ModelConfig& model);
// model.shape when its metadata and config.json describe different models.
[[nodiscard]] Status checkGgufMetadata(const WeightFiles& files, const ModelConfig& model);

[[nodiscard]] Result<std::unique_ptr<QuantizedModules>> openGptq(const WeightFiles& files, std::string_view config,
                                                                 const ModelConfig& model);

} // namespace qw::checkpoint
