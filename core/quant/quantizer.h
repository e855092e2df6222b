// SPDX-License-Identifier: GPL-3.0-or-later
// What: a scheme applied to a decoder: which modules, fake quantization in forward and backward, and the codes of convert.
// Why here: prepare, PTQ and convert must take the same decision per module and run the same arithmetic.
#pragma once

#include "model/decoder.h"
#include "numerics/fake_quant.h"
#include "records/quant_block.h"
#include "records/run.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace qw::quant {

// The decision of prepare (quantization.md 0.4, 3.4). config.invalid when nothing matches; config.conflict with on_indivisible: error.
struct Plan {
    records::QatBlock block;
    std::vector<int> weightModules;     // indexes into Decoder::modules()
    std::vector<int> activationModules; // a subset of weightModules' order, when the scheme has an activation block
    int embeddingModule = -1;
    std::vector<records::LayerInfo> layers; // quantized and skipped, in module order
    double bitsPerWeight = 0;               // over all matrices aimed at, skipped ones at their own width
};
// exportType: T, when it is narrower than the decoder's numbers; decides the width of scale_dtype: input.
[[nodiscard]] Result<Plan> plan(const model::Decoder& decoder, const records::QatBlock& block,
                                std::optional<records::DType> exportType = {});
// The same decision from shapes alone, for `plan` requests and forecasts: no weights needed.
[[nodiscard]] Result<Plan> plan(const checkpoint::ModelConfig& config, bool tied, const records::QatBlock& block, records::DType type);

struct LayerTelemetry { // of one module (training.md 15)
    double wSqnrDb = 0, clipFraction = 0;
    double scaleDriftMean = 0, scaleDriftMax = 0; // abs log2(s / s0), s0: of the weights the quantizer was made with
    double flipRate = 0;                          // share of codes changed per step since the last call
};

// Fake quantization as the decoder's hook. Weights are quantized once per weight version (call weightsChanged after each optimizer step).
class Quantizer final : public model::LinearHook {
public:
    // exportType: T; the master or working weight is rounded to it first when it is wider.
    Quantizer(const model::Decoder& decoder, Plan plan, records::DType exportType, bool referenceKernels = false);
    ~Quantizer() override;

    void setEnabled(bool on); // the delay; off is an exact identity
    [[nodiscard]] bool enabled() const;
    void weightsChanged();
    void dropCaches(); // frees what can be computed again
    [[nodiscard]] const Plan& plan() const;

    at::Tensor linear(int module, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) override;
    at::Tensor embed(int module, const at::Tensor& ids, const at::Tensor& weight, int64_t padId) override;
    at::Tensor weight(int module, const at::Tensor& weight) override;
    at::Tensor input(int module, const at::Tensor& x) override;

    // Round robin over layers is the caller's business. SQNR and clip fraction cover the matrix; drift and flips up to 65536 elements of
    // it. step: optimizer steps taken; negative: count the calls of weightsChanged.
    [[nodiscard]] LayerTelemetry telemetry(int module, int64_t step = -1);
    // What drift and flips are measured against, by name; a checkpoint keeps it so that a resumed run reports the same numbers.
    [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> telemetryState() const;
    void restoreTelemetry(const std::vector<std::pair<std::string, at::Tensor>>& state);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

// Codes of one matrix: what a native folder stores.
struct Converted {
    int module = -1;
    records::QuantBlock block;
    numerics::Grid grid;
    at::Tensor codes;       // int8 [rows, cols]
    at::Tensor scale, zero; // [rows, cols/g] in their stored dtypes (integer zero points int32); zero undefined when the family has none
};
// method: rtn | mse. From the decoder's weights as they are, in T = exportType.
[[nodiscard]] Converted convert(const model::Decoder& decoder, const Plan& plan, int module, records::DType exportType,
                                const std::string& method);

} // namespace qw::quant
