// SPDX-License-Identifier: GPL-3.0-or-later
// What: the decision of prepare (quantization.md 0.4, 3.4): which matrices of a model a scheme quantizes, which not and why.
// Why here: training, PTQ, convert and the window's forecast take the same decision from shapes alone.
#pragma once

#include "checkpoint/model_config.h"
#include "records/quant_block.h"
#include "records/run.h"

namespace qw::checkpoint {

// A matrix that a scheme could act on.
struct Matrix {
    int index = 0;      // the caller's own number
    std::string name;   // of the module: "model.layers.0.self_attn.q_proj"
    std::string tensor; // where its numbers are stored; a tied lm_head has those of the embedding
    int64_t rows = 0, cols = 0;
    bool isEmbedding = false, isHead = false;
};
// In the order of the decoder's modules: the embedding, every linear of the layers, lm_head (a tied one too).
[[nodiscard]] std::vector<Matrix> matricesOf(const ModelConfig& config, bool tied);

struct ModulePlan {
    std::vector<int> weight;     // indexes of matrices whose weight is quantized
    std::vector<int> activation; // … whose input is
    int embedding = -1;
    std::vector<records::LayerInfo> layers; // quantized and skipped, in the order of the matrices
    double bitsPerWeight = 0;               // over all matrices aimed at, skipped ones at their own width
};
// Empty: the scheme is aimed at this matrix. Else the rule that leaves it out, e.g. "excluded by *.k_proj".
[[nodiscard]] std::string whyNotAimedAt(const records::QatBlock& block, const Matrix& matrix);
// config.invalid when nothing matches; config.conflict with on_indivisible: error. type: T, decides the width of scale_dtype: input.
[[nodiscard]] Result<ModulePlan> planModules(const records::QatBlock& block, const std::vector<Matrix>& matrices, records::DType type);

// T of a run that trains, or of a study's rows (recipe.md 3).
[[nodiscard]] records::DType memberType(const std::string& exportDtype, const std::string& precisionMode);
// Weights of the native folder; layers: of the plan. Empty: everything in T.
[[nodiscard]] int64_t forecastBytes(const ModelConfig& config, bool tied, records::DType type,
                                    const std::vector<records::LayerInfo>& layers);

} // namespace qw::checkpoint
