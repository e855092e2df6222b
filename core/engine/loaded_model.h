// SPDX-License-Identifier: GPL-3.0-or-later
// What: a model folder of any kind ready for forward passes; a quantized one with its activation scheme in place, or a plain one with fake
// quantization.
#pragma once

#include "model/decoder.h"
#include "quant/quantizer.h"

#include <memory>
#include <optional>

namespace qw::engine {

class LoadedModel {
public:
    // dtype empty: the folder's own. threads 0: physical cores. scheme: fake quantization, of an unquantized folder only.
    [[nodiscard]] static Result<std::unique_ptr<LoadedModel>> open(const std::filesystem::path& folder, const std::string& device,
                                                                   const std::string& dtype, int64_t threads = 0,
                                                                   const std::optional<records::QatBlock>& scheme = {});
    [[nodiscard]] const model::Decoder& decoder() const { return m_decoder; }

private:
    explicit LoadedModel(model::Decoder decoder) : m_decoder(std::move(decoder)) {}
    model::Decoder m_decoder;
    std::unique_ptr<quant::Quantizer> m_hook;
};

// What a quantized folder was quantized with. model.format when it has several schemes.
[[nodiscard]] Result<records::QatBlock> soleScheme(const checkpoint::Checkpoint& quantized);
// Weights come from stored codes; what the scheme does to activations still has to happen in the forward pass. Null when it does nothing.
[[nodiscard]] std::unique_ptr<quant::Quantizer> hookActivations(model::Decoder& decoder, const quant::Plan& full, records::DType exported,
                                                                bool reference);

} // namespace qw::engine
