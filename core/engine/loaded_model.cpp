// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/loaded_model.h"

#include "engine/device.h"
#include "engine/job_support.h"

namespace qw::engine {

std::unique_ptr<quant::Quantizer> hookActivations(model::Decoder& decoder, const quant::Plan& full, records::DType exported,
                                                  bool reference) {
    if (full.activationModules.empty()) return nullptr;
    quant::Plan plan = full;
    plan.weightModules.clear();
    plan.embeddingModule = -1;
    plan.block.weight.reset();
    plan.block.embedding.reset();
    auto hook = std::make_unique<quant::Quantizer>(decoder, std::move(plan), exported, reference);
    decoder.setHook(hook.get());
    return hook;
}

Result<records::QatBlock> soleScheme(const checkpoint::Checkpoint& quantized) {
    if (quantized.schemes().size() == 1) return quantized.schemes().front();
    return Error{"model.format", quantized.dir().string() + " does not name exactly one scheme", "write it again from its source", "",
                 false};
}

Result<std::unique_ptr<LoadedModel>> LoadedModel::open(const std::filesystem::path& folder, const std::string& device,
                                                       const std::string& dtype, int64_t threads,
                                                       const std::optional<records::QatBlock>& scheme) {
    QW_TRY(const at::Device where, openDevice(device));
    configureTorch(threads, where.is_cpu(), false);
    QW_TRY(const auto files, checkpoint::Checkpoint::open(folder));
    if (files.isQuantized() && scheme)
        return Error{"config.conflict", folder.string() + " is already quantized", "leave --scheme out, or take the unquantized model", "",
                     false};
    const auto asked = dtypeFromName(dtype);
    if (!dtype.empty() && dtype != "auto" && !asked)
        return Error{"config.invalid", "dtype is '" + dtype + "'", "write fp32 or bf16", "", false};
    QW_TRY(auto decoder, model::Decoder::load(files, scalarType(asked.value_or(files.dtype())), where));
    std::unique_ptr<LoadedModel> loaded(new LoadedModel(std::move(decoder)));
    if (files.isQuantized()) {
        QW_TRY(const auto stored, soleScheme(files));
        QW_TRY(const auto plan, quant::plan(loaded->m_decoder, stored));
        loaded->m_hook = hookActivations(loaded->m_decoder, plan, files.dtype(), false);
    } else if (scheme) {
        QW_TRY(auto plan, quant::plan(loaded->m_decoder, *scheme));
        loaded->m_hook = std::make_unique<quant::Quantizer>(loaded->m_decoder, std::move(plan), files.dtype());
        loaded->m_decoder.setHook(loaded->m_hook.get());
    }
    return loaded;
}

} // namespace qw::engine
