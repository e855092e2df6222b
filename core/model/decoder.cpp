// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/decoder.h"

#include "model/attention.h"
#include "model/layer_checkpoint.h"
#include "model/load.h"
#include "model/rope.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/square.h>
#include <ATen/ops/tensor.h>
#include <cmath>
#include <tuple>
#include <unordered_map>

namespace qw::model {
namespace {

// Modules and norms of one layer, as indexes into State::modules and State::parameters.
struct LayerParts {
    int q = -1, k = -1, v = -1, o = -1, gate = -1, up = -1, down = -1;
    int inputNorm = -1, postNorm = -1, qNorm = -1, kNorm = -1;
};

// models.md 4, "cast then multiply"
at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps) {
    const at::Tensor u = x.to(at::kFloat);
    return weight * (u * at::rsqrt(at::mean(at::square(u), -1, true) + eps)).to(x.scalar_type());
}

at::Tensor activate(const std::string& name, const at::Tensor& x) {
    if (name == "gelu") return at::gelu(x);
    if (name == "gelu_new" || name == "gelu_pytorch_tanh") return at::gelu(x, "tanh");
    if (name == "relu") return at::relu(x);
    return at::silu(x);
}

} // namespace

struct Decoder::State {
    checkpoint::ModelConfig config;
    bool tied = false;
    at::ScalarType type = at::kFloat;
    at::Device device = at::kCPU;
    std::vector<Parameter> parameters;
    std::vector<Module> modules;
    std::vector<LayerParts> layers;
    int finalNorm = -1, embedding = -1, head = -1;
    LinearHook* hook = nullptr;

    explicit State(Loaded loaded)
        : config(std::move(loaded.config)),
          tied(loaded.tied),
          type(loaded.type),
          device(loaded.device),
          parameters(std::move(loaded.parameters)) {
        index();
    }

    void index();

    [[nodiscard]] const at::Tensor& tensor(int parameter) const { return parameters[static_cast<size_t>(parameter)].tensor; }
    [[nodiscard]] at::Tensor linear(int module, const at::Tensor& x) const {
        const Module& m = modules[static_cast<size_t>(module)];
        const at::Tensor bias = m.bias < 0 ? at::Tensor() : tensor(m.bias);
        return hook ? hook->linear(module, x, tensor(m.parameter), bias) : at::linear(x, tensor(m.parameter), bias);
    }
    [[nodiscard]] at::Tensor embed(const at::Tensor& ids) const {
        const at::Tensor& weight = tensor(modules[static_cast<size_t>(embedding)].parameter);
        const int64_t pad = config.padId.value_or(-1);
        return hook ? hook->embed(embedding, ids, weight, pad) : at::embedding(weight, ids, pad);
    }

    // Keys and values before (cached) and of this call, for one layer.
    struct KeyValues {
        at::Tensor keys{}, values{}; // [R, K, T, D] to put in front, undefined without a context
        Context* keep = nullptr; // where to store what this call made
        KvCache* grow = nullptr; // where all keys and values of a growing text lie
    };
    struct Continued {
        const Context& context;
        at::Tensor owner; // int64 [R]: which context each row continues
    };
    at::Tensor attention(const LayerParts& parts, size_t layer, const at::Tensor& x, const RopeTable& table, AttentionPlan& plan,
                         const KeyValues& cache) const;
    at::Tensor mlp(const LayerParts& parts, const at::Tensor& x) const;
    at::Tensor block(size_t layer, const at::Tensor& x, const RopeTable& table, AttentionPlan& plan, const KeyValues& cache) const;
    at::Tensor run(const at::Tensor& ids, const std::shared_ptr<AttentionPlan>& plan, const Continued* before, const KeyValues& kept,
                   const ForwardOptions& options) const;
};

void Decoder::State::index() {
    std::unordered_map<std::string, int> byName;
    for (size_t i = 0; i < parameters.size(); ++i) byName[parameters[i].name] = static_cast<int>(i);
    const auto parameter = [&](const std::string& name) {
        const auto found = byName.find(name);
        return found == byName.end() ? -1 : found->second;
    };
    const auto module = [&](const std::string& name, int layer) {
        modules.push_back({name, parameter(name + ".weight"), parameter(name + ".bias"), false, false, layer});
        return static_cast<int>(modules.size()) - 1;
    };
    embedding = module("model.embed_tokens", -1);
    modules.back().isEmbedding = true;
    for (int l = 0; l < static_cast<int>(config.layers); ++l) {
        const std::string at = "model.layers." + std::to_string(l) + ".";
        LayerParts parts;
        parts.q = module(at + "self_attn.q_proj", l);
        parts.k = module(at + "self_attn.k_proj", l);
        parts.v = module(at + "self_attn.v_proj", l);
        parts.o = module(at + "self_attn.o_proj", l);
        parts.gate = module(at + "mlp.gate_proj", l);
        parts.up = module(at + "mlp.up_proj", l);
        parts.down = module(at + "mlp.down_proj", l);
        parts.inputNorm = parameter(at + "input_layernorm.weight");
        parts.postNorm = parameter(at + "post_attention_layernorm.weight");
        parts.qNorm = parameter(at + "self_attn.q_norm.weight");
        parts.kNorm = parameter(at + "self_attn.k_norm.weight");
        layers.push_back(parts);
    }
    finalNorm = parameter("model.norm.weight");
    head = module("lm_head", -1);
    modules.back().isHead = true;
    if (tied) modules.back().parameter = modules[static_cast<size_t>(embedding)].parameter;
}

at::Tensor Decoder::State::attention(const LayerParts& parts, size_t layer, const at::Tensor& x, const RopeTable& table,
                                     AttentionPlan& plan, const KeyValues& cache) const {
    const int64_t rows = x.size(0), length = x.size(1), dim = config.headDim;
    const auto heads = [&](const at::Tensor& y, int64_t count, int norm) {
        at::Tensor h = y.reshape({rows, length, count, dim});
        if (norm >= 0) h = rmsNorm(h, tensor(norm), config.rmsEps);
        return h.transpose(1, 2);
    };
    const at::Tensor q = rotate(heads(linear(parts.q, x), config.heads, parts.qNorm), table);
    at::Tensor k = rotate(heads(linear(parts.k, x), config.kvHeads, parts.kNorm), table);
    at::Tensor v = heads(linear(parts.v, x), config.kvHeads, -1);
    if (cache.keep) {
        cache.keep->keys.push_back(k);
        cache.keep->values.push_back(v);
    }
    if (cache.grow) std::tie(k, v) = cache.grow->put(layer, k, v);
    if (cache.keys.defined()) {
        k = at::cat({cache.keys, k}, 2);
        v = at::cat({cache.values, v}, 2);
    }
    const double scale = 1.0 / std::sqrt(static_cast<double>(dim));
    const at::Tensor y = plan.attend(q, k, v, config.window[layer], scale);
    return linear(parts.o, y.transpose(1, 2).reshape({rows, length, config.heads * dim}));
}

at::Tensor Decoder::State::mlp(const LayerParts& parts, const at::Tensor& x) const {
    const at::Tensor gate = activate(config.activation, linear(parts.gate, x));
    return linear(parts.down, gate * linear(parts.up, x));
}

at::Tensor Decoder::State::block(size_t layer, const at::Tensor& x, const RopeTable& table, AttentionPlan& plan,
                                 const KeyValues& cache) const {
    const LayerParts& parts = layers[layer];
    const at::Tensor h = x + attention(parts, layer, rmsNorm(x, tensor(parts.inputNorm), config.rmsEps), table, plan, cache);
    return h + mlp(parts, rmsNorm(h, tensor(parts.postNorm), config.rmsEps));
}

at::Tensor Decoder::State::run(const at::Tensor& ids, const std::shared_ptr<AttentionPlan>& plan, const Continued* before,
                               const KeyValues& kept, const ForwardOptions& options) const {
    const auto poll = [cancel = options.cancel] {
        if (cancel && cancel->now()) throw Cancelled{};
    };
    const RopeFrequencies frequencies = ropeFrequencies(config.rope, config.headDim, config.maxPositions, plan->lastPosition());
    const RopeTable table = ropeTable(frequencies, plan->positions(), type);
    at::Tensor x = embed(ids);
    for (size_t layer = 0; layer < layers.size(); ++layer) {
        KeyValues cache = kept;
        if (before) {
            cache.keys = before->context.keys[layer].index_select(0, before->owner);
            cache.values = before->context.values[layer].index_select(0, before->owner);
        }
        const auto step = [this, layer, table, plan, cache, poll](const at::Tensor& input) {
            poll();
            return block(layer, input, table, *plan, cache);
        };
        x = options.checkpointLayers ? checkpointed(step, x) : step(x);
    }
    return rmsNorm(x, tensor(finalNorm), config.rmsEps);
}

Decoder::Decoder(std::shared_ptr<State> state) : m_state(std::move(state)) {}

Result<Decoder> Decoder::load(const checkpoint::Checkpoint& from, at::ScalarType type, at::Device device) {
    QW_TRY(Loaded loaded, loadWeights(from, type, device));
    return Decoder(std::make_shared<State>(std::move(loaded)));
}

Result<Decoder> Decoder::random(const checkpoint::ModelConfig& config, bool tied, uint64_t seed, at::ScalarType type, at::Device device) {
    return Decoder(std::make_shared<State>(randomWeights(config, tied, seed, type, device)));
}

const checkpoint::ModelConfig& Decoder::config() const { return m_state->config; }
bool Decoder::tied() const { return m_state->tied; }
at::ScalarType Decoder::type() const { return m_state->type; }
at::Device Decoder::device() const { return m_state->device; }
std::vector<Parameter>& Decoder::parameters() { return m_state->parameters; }
const std::vector<Parameter>& Decoder::parameters() const { return m_state->parameters; }
const std::vector<Module>& Decoder::modules() const { return m_state->modules; }
int Decoder::headModule() const { return m_state->head; }
void Decoder::setHook(LinearHook* hook) { m_state->hook = hook; }

at::Tensor Decoder::hidden(const Rows& rows, const ForwardOptions& options) const {
    const auto plan = std::make_shared<AttentionPlan>(rows.ids.size(0), rows.ids.size(1), rows.starts, device());
    return m_state->run(rows.ids, plan, nullptr, {}, options);
}

at::Tensor Decoder::contextHidden(const at::Tensor& ids, const std::vector<int64_t>& lengths, Context& keep,
                                  const ForwardOptions& options) const {
    keep = {};
    keep.lengths = lengths;
    const auto plan = std::make_shared<AttentionPlan>(ids.size(0), ids.size(1), std::vector<std::vector<int64_t>>{}, device());
    return m_state->run(ids, plan, nullptr, {.keep = &keep}, options);
}

at::Tensor Decoder::continueHidden(const Context& context, const std::vector<int64_t>& owner, const at::Tensor& ids,
                                   const ForwardOptions& options) const {
    std::vector<int64_t> lengths;
    for (const int64_t c : owner) lengths.push_back(context.lengths[static_cast<size_t>(c)]);
    const auto plan = std::make_shared<AttentionPlan>(lengths, context.keys.front().size(2), ids.size(1), device());
    const State::Continued before{context, at::tensor(owner, at::TensorOptions().dtype(at::kLong)).to(device())};
    return m_state->run(ids, plan, &before, {}, options);
}

at::Tensor Decoder::extendHidden(KvCache& cache, const at::Tensor& ids, const ForwardOptions& options) const {
    const int64_t before = cache.length(), added = ids.size(1);
    const auto& c = config();
    // Where a longer text turns its earlier tokens differently, every layer behind the first has seen another past: start again.
    const bool again = before > 0 && !sameRope(c.rope, c.headDim, c.maxPositions, before, before + added);
    KvCache fresh;
    KvCache& target = again ? fresh : cache;
    const at::Tensor input = again ? at::cat({cache.ids(), ids}, 1) : ids;
    const auto plan = std::make_shared<AttentionPlan>(AttentionPlan::cached(target.length(), input.size(1), device()));
    at::Tensor out = m_state->run(input, plan, nullptr, {.grow = &target}, options);
    target.advance(input);
    if (again) cache = std::move(fresh);
    return out.narrow(1, input.size(1) - added, added);
}

at::Tensor Decoder::headWeight() const {
    const Module& head = m_state->modules[static_cast<size_t>(m_state->head)];
    const at::Tensor& weight = m_state->tensor(head.parameter);
    return m_state->hook ? m_state->hook->weight(m_state->head, weight) : weight;
}

at::Tensor Decoder::headInput(const at::Tensor& hidden) const {
    return m_state->hook ? m_state->hook->input(m_state->head, hidden) : hidden;
}

at::Tensor Decoder::logits(const at::Tensor& hidden) const { return at::linear(headInput(hidden), headWeight()); }

} // namespace qw::model
