// SPDX-License-Identifier: GPL-3.0-or-later
// What: the one table of decoder architectures (models.md 5, 6): class defaults, which keys count, which tensors exist.
// Why here: config.json drops keys that equal a default, so a missing key means a different number in every row.
#pragma once

#include "checkpoint/model_config.h"

#include <array>
#include <span>

namespace qw::checkpoint {

enum class BiasRule : uint8_t { Never, QkvAlways, Key }; // Key: attention_bias on q, k, v and o
enum class WindowRule : uint8_t { None, EveryLayer, FromMaxWindowLayers };
enum class When : uint8_t { Always, BiasQkv, BiasO, BiasMlp, HeadNorm, Untied };

struct TensorRule {
    std::string_view name;  // of layer tensors: behind "model.layers.N."
    std::string_view shape; // letters of models.md 5: V H L A K D I
    TensorRole role = TensorRole::Linear;
    When when = When::Always;
};

struct ArchRow {
    std::string_view modelType;
    std::array<std::string_view, 2> aliases; // other values of model_type with the same maths
    std::array<std::string_view, 2> classes; // accepted architectures[0]
    int64_t vocab, hidden, intermediate, layers, heads;
    int64_t kvHeads; // 0: as many as heads
    int64_t headDim; // 0: hidden / heads
    int64_t maxPositions;
    double rmsEps, theta;
    bool tied;
    int64_t window, maxWindowLayers; // defaults of sliding_window and max_window_layers
    WindowRule windowRule;
    bool layerTypes; // layer_types counts
    BiasRule attention;
    bool mlpBiasKey; // mlp_bias counts
    bool headNorm;
    int64_t bos, eos;   // -1: none
    bool rotaryBuffers; // old files carry rotary_emb.inv_freq
};

[[nodiscard]] std::span<const ArchRow> archRows();
[[nodiscard]] const ArchRow* findArch(std::string_view modelType); // also by alias; null when unknown
// Of one layer, of what stands before all layers and of what stands behind them.
[[nodiscard]] std::span<const TensorRule> layerTensors();
[[nodiscard]] std::span<const TensorRule> firstTensors();
[[nodiscard]] std::span<const TensorRule> lastTensors();

} // namespace qw::checkpoint
