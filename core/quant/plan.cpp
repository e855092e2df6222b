// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/module_plan.h"
#include "model/load.h"
#include "quant/quantizer.h"

namespace qw::quant {

namespace {

Result<Plan> planned(const records::QatBlock& block, const std::vector<checkpoint::Matrix>& matrices, records::DType type) {
    QW_TRY(auto decided, checkpoint::planModules(block, matrices, type));
    return Plan{block,
                std::move(decided.weight),
                std::move(decided.activation),
                decided.embedding,
                std::move(decided.layers),
                decided.bitsPerWeight};
}

} // namespace

Result<Plan> plan(const model::Decoder& decoder, const records::QatBlock& block, std::optional<records::DType> exportType) {
    std::vector<checkpoint::Matrix> matrices;
    for (size_t i = 0; i < decoder.modules().size(); ++i) {
        const model::Module& m = decoder.modules()[i];
        if (m.parameter < 0) continue;
        const at::Tensor& weight = decoder.parameters()[static_cast<size_t>(m.parameter)].tensor;
        matrices.push_back({static_cast<int>(i), m.name, {}, weight.size(0), weight.size(1), m.isEmbedding, m.isHead});
    }
    const records::DType own = model::toRecord(decoder.type());
    return planned(block, matrices, exportType && own == records::DType::F32 ? *exportType : own);
}

Result<Plan> plan(const checkpoint::ModelConfig& config, bool tied, const records::QatBlock& block, records::DType type) {
    return planned(block, checkpoint::matricesOf(config, tied), type);
}

} // namespace qw::quant
