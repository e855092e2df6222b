// SPDX-License-Identifier: GPL-3.0-or-later
// What: a scheme applied to a decoder: which modules, fake quantization in forward and backward, and the codes of convert.
// Why here: prepare, PTQ and convert must take the same decision per module and run the same arithmetic.
#pragma once

#include "model/decoder.h"
#include "numerics/fake_quant.h"
#include "records/quant_block.h"
#include "records/run.h"

namespace qw::quant {

// The decision of prepare (quantization.md 0.4, 3.4). config.invalid when nothing matches; config.conflict with on_indivisible: error.
struct Plan {
    records::QatBlock block;
    std::vector<int> weightModules;          // indexes into Decoder::modules()
    std::vector<int> activationModules;      // a subset of weightModules' order, when the scheme has an activation block
    int embeddingModule = -1;
    std::vector<records::LayerInfo> layers;  // quantized and skipped, in module order
    double bitsPerWeight = 0;                // over all matrices aimed at, skipped ones at their own width
};
[[nodiscard]] Result<Plan> plan(const model::Decoder& decoder, const records::QatBlock& block);
// The same decision from shapes alone, for `plan` requests and forecasts: no weights needed.
[[nodiscard]] Result<Plan> plan(const checkpoint::ModelConfig& config, bool tied, const records::QatBlock& block, records::DType type);

struct LayerTelemetry { // since the last call, of one module
    double wSqnrDb = 0, clipFraction = 0, scaleDriftMean = 0, scaleDriftMax = 0, flipRate = 0;
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
    [[nodiscard]] const Plan& plan() const;

    at::Tensor linear(int module, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) override;
    at::Tensor embed(int module, const at::Tensor& ids, const at::Tensor& weight, int64_t padId) override;
    at::Tensor weight(int module, const at::Tensor& weight) override;
    at::Tensor input(int module, const at::Tensor& x) override;

    // Round robin over layers is the caller's business.
    [[nodiscard]] LayerTelemetry telemetry(int module);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

// Codes of one matrix: what a native folder stores.
struct Converted {
    int module = -1;
    records::QuantBlock block;
    numerics::Grid grid;
    at::Tensor codes;        // int8 [rows, cols]
    at::Tensor scale, zero;  // [rows, cols/g] in their stored dtypes; zero undefined when the family has none
};
// method: rtn | mse. From the decoder's weights as they are, in T = exportType.
[[nodiscard]] Converted convert(const model::Decoder& decoder, const Plan& plan, int module, records::DType exportType, const std::string& method);

} // namespace qw::quant
