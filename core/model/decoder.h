// SPDX-License-Identifier: GPL-3.0-or-later
// What: the decoder of models.md 4-6 on ATen operations, with autograd. One class for every row of the architecture table.
// Limits: linears go through a LinearHook, so quantization never shows up here; throws c10::Error only for programming errors.
#pragma once

#include "base/cancel.h"
#include "base/result.h"
#include "checkpoint/checkpoint.h"
#include "model/kv_cache.h"

#include <ATen/core/Tensor.h>
#include <exception>
#include <memory>

namespace qw::model {

struct Parameter {
    std::string name;  // as in the checkpoint, "model.layers.0.self_attn.q_proj.weight"
    at::Tensor tensor; // leaf; requires_grad as the trainer sets it
    checkpoint::TensorRole role = checkpoint::TensorRole::Linear;
    int layer = -1;
};

// A matrix that a scheme can act on: every linear of the layers, "model.embed_tokens" and "lm_head".
struct Module {
    std::string name;   // without ".weight"
    int parameter = -1; // index into parameters(); a tied lm_head has the embedding's
    int bias = -1;      // index, or -1
    bool isEmbedding = false, isHead = false;
    int layer = -1;
};

// How matrices are used. The default is the plain product; quant replaces it.
class LinearHook {
public:
    virtual ~LinearHook() = default;
    // y = x·Wᵀ + b for module; x is [..., in].
    virtual at::Tensor linear(int module, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) = 0;
    // Rows of the embedding; ids int64, any shape; padId: that row gets no gradient from here.
    virtual at::Tensor embed(int module, const at::Tensor& ids, const at::Tensor& weight, int64_t padId) = 0;
    // The matrix that logits are made with (chunked losses and evaluation multiply it themselves), and the hidden states to multiply.
    virtual at::Tensor weight(int module, const at::Tensor& weight) = 0;
    virtual at::Tensor input(int module, const at::Tensor& x) = 0;
};

// Token rows. Right padding needs no mask: a causal row never looks right.
struct Rows {
    at::Tensor ids;                           // int64 [R, S]
    std::vector<std::vector<int64_t>> starts; // per row: where documents begin, first 0; positions restart there and attention
                                              // stays inside. Empty vector: every row is one document.
};

struct ForwardOptions {
    bool checkpointLayers = false;       // keep only each layer's input, recompute in backward
    const CancelToken* cancel = nullptr; // polled between layers, in recompute too; throws Cancelled at level Now
};
struct Cancelled : std::exception {}; // derived, because the autograd engine carries only these through backward

// Keys and values of contexts, to be continued by endings. [layer] -> [C, heads_kv, T, D], after rotation.
struct Context {
    std::vector<at::Tensor> keys, values;
    std::vector<int64_t> lengths; // of each context; shorter ones are padded on the right to T
};

class Decoder {
public:
    // Weights in `type` on `device`. Native folders are dequantized in their T, then converted.
    [[nodiscard]] static Result<Decoder> load(const checkpoint::Checkpoint& from, at::ScalarType type, at::Device device);
    // Normal(0, initializer_range), norms one, biases zero; same seed, same bits on every machine.
    [[nodiscard]] static Result<Decoder> random(const checkpoint::ModelConfig& config, bool tied, uint64_t seed, at::ScalarType type,
                                                at::Device device);

    [[nodiscard]] const checkpoint::ModelConfig& config() const;
    [[nodiscard]] bool tied() const;
    [[nodiscard]] at::ScalarType type() const;
    [[nodiscard]] at::Device device() const;
    [[nodiscard]] std::vector<Parameter>& parameters();
    [[nodiscard]] const std::vector<Parameter>& parameters() const;
    [[nodiscard]] const std::vector<Module>& modules() const;
    [[nodiscard]] int headModule() const; // index of lm_head in modules()
    void setHook(LinearHook* hook);       // not owned; null: plain

    // Hidden states after the final norm, [R, S, H].
    [[nodiscard]] at::Tensor hidden(const Rows& rows, const ForwardOptions& options = {}) const;
    // Contexts, padded on the right and kept, [C, T] -> [C, T, H]; then endings, each continuing the context that owner names, [E, S] ->
    // [E, S, H].
    [[nodiscard]] at::Tensor contextHidden(const at::Tensor& ids, const std::vector<int64_t>& lengths, Context& keep,
                                           const ForwardOptions& options = {}) const;
    [[nodiscard]] at::Tensor continueHidden(const Context& context, const std::vector<int64_t>& owner, const at::Tensor& ids,
                                            const ForwardOptions& options = {}) const;
    // ids [1, S] behind the text in the cache, kept there: [1, S, H], the last S rows of hidden() on the whole text up to rounding.
    // After an exception the cache is what it was.
    [[nodiscard]] at::Tensor extendHidden(KvCache& cache, const at::Tensor& ids, const ForwardOptions& options = {}) const;
    // Matrix and input for logits = input·matrixᵀ, through the hook.
    [[nodiscard]] at::Tensor headWeight() const;
    [[nodiscard]] at::Tensor headInput(const at::Tensor& hidden) const;
    [[nodiscard]] at::Tensor logits(const at::Tensor& hidden) const;

private:
    struct State;
    explicit Decoder(std::shared_ptr<State> state);
    std::shared_ptr<State> m_state;
};

} // namespace qw::model
