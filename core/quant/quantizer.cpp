// SPDX-License-Identifier: GPL-3.0-or-later
#include "quant/quantizer.h"

#include "quant/coded_linear.h"
#include "quant/grids.h"
#include "quant/straight_through.h"
#include "quant/weight_history.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>

#include <algorithm>
#include <unordered_map>

namespace qw::quant {

struct Quantizer::State {
    // A weight's fake-quantized form, good until the weight changes.
    struct Cached {
        FakeQuantized q; // y in the weight's own dtype
        numerics::Grid grid;
        const void* data = nullptr;
        uint32_t version = 0;
    };

    model::Decoder decoder;
    Plan plan;
    records::DType exportType;
    bool reference;
    bool enabled = true;
    std::vector<bool> quantizesWeight, quantizesInput;
    std::unordered_map<int, Cached> weights;
    WeightHistory history;
    // The newest quantized input: q, k and v, gate and up read the same tensor.
    at::Tensor input, inputQuantized;
    c10::intrusive_ptr<CodedInput> inputCoded; // null: without gradients, or with the reference kernels
    bool inputWithGraph = false;
    uint32_t inputVersion = 0;

    State(const model::Decoder& from, Plan planned, records::DType type, bool slow)
        : decoder(from),
          plan(std::move(planned)),
          exportType(type),
          reference(slow),
          quantizesWeight(from.modules().size()),
          quantizesInput(from.modules().size()) {
        for (const int m : plan.weightModules) quantizesWeight[static_cast<size_t>(m)] = true;
        for (const int m : plan.activationModules) quantizesInput[static_cast<size_t>(m)] = true;
        for (const int m : plan.weightModules) history.start(m, weightOf(m), gridFor(m, weightOf(m)));
    }

    [[nodiscard]] const at::Tensor& weightOf(int module) const {
        return decoder.parameters()[static_cast<size_t>(decoder.modules()[static_cast<size_t>(module)].parameter)].tensor;
    }
    [[nodiscard]] numerics::Grid gridFor(int module, const at::Tensor& weight) const {
        return gridOf(matrixBlock(plan, module), matrixRole(plan, module), quantizedType(recordType(weight.scalar_type()), exportType),
                      weight.size(0), weight.size(1));
    }
    [[nodiscard]] bool clipped() const { return plan.block.ste == records::Ste::Clipped; }

    void forget() {
        weights.clear();
        input = inputQuantized = at::Tensor();
        inputCoded.reset();
    }

    at::Tensor quantizedWeight(int module, const at::Tensor& weight);
    at::Tensor quantizedInput(const at::Tensor& x);
    at::Tensor quantizedRows(const at::Tensor& rows);
};

at::Tensor Quantizer::State::quantizedWeight(int module, const at::Tensor& weight) {
    const bool gradient = wantsGradient(weight);
    if (gradient && plan.block.qparamGrad && matrixBlock(plan, module).format == records::Format::Int4Zp) {
        const numerics::Grid grid = gridFor(module, weight);
        return int4ZpThroughRange(grid, weight.to(torchType(grid.type))).to(weight.scalar_type());
    }
    Cached& cached = weights[module];
    const bool stale = !cached.q.y.defined() || cached.data != weight.const_data_ptr() || cached.version != weight._version() ||
                       (gradient && clipped() && !cached.q.mask.defined());
    if (stale) {
        const at::NoGradGuard noGrad;
        cached.grid = gridFor(module, weight);
        Wanted wanted;
        wanted.mask = gradient && clipped();
        wanted.reference = reference;
        FakeQuantized q = fakeQuantize(cached.grid, weight.detach().to(torchType(cached.grid.type)), wanted);
        q.y = q.y.to(weight.scalar_type());
        cached.q = std::move(q); // whole or not at all: memory may run out above
        cached.data = weight.const_data_ptr();
        cached.version = weight._version();
    }
    return straightThrough(weight, cached.q, cached.grid);
}

at::Tensor Quantizer::State::quantizedInput(const at::Tensor& x) {
    if (input.defined() && input.is_same(x) && inputVersion == x._version() && inputWithGraph == at::GradMode::is_enabled())
        return inputQuantized;
    const at::Tensor dense = x.contiguous();
    const int64_t cols = dense.size(-1);
    const numerics::Grid grid =
        gridOf(*plan.block.activation, records::Role::Activation, recordType(x.scalar_type()), dense.numel() / cols, cols);
    Wanted wanted;
    wanted.mask = wantsGradient(dense) && clipped();
    wanted.reference = reference;
    wanted.codes = wanted.params = at::GradMode::is_enabled() && !reference;
    const FakeQuantized q = fakeQuantize(grid, dense.detach(), wanted);
    inputQuantized = straightThrough(dense, q, grid);
    if (wanted.codes)
        inputCoded = c10::make_intrusive<CodedInput>(grid, q);
    else
        inputCoded.reset();
    input = x;
    inputVersion = x._version();
    inputWithGraph = at::GradMode::is_enabled();
    return inputQuantized;
}

// Gathered rows of the embedding: groups lie inside rows, so this has the bits of the quantized table (quantization.md 3.4).
at::Tensor Quantizer::State::quantizedRows(const at::Tensor& rows) {
    const int64_t cols = rows.size(-1);
    const records::DType own = recordType(rows.scalar_type());
    const numerics::Grid grid =
        gridOf(*plan.block.embedding, records::Role::Embedding, quantizedType(own, exportType), rows.numel() / cols, cols);
    Wanted wanted;
    wanted.mask = wantsGradient(rows) && clipped();
    wanted.reference = reference;
    FakeQuantized q = fakeQuantize(grid, rows.detach().to(torchType(grid.type)), wanted);
    q.y = q.y.to(rows.scalar_type());
    return straightThrough(rows, q, grid);
}

Quantizer::Quantizer(const model::Decoder& decoder, Plan plan, records::DType exportType, bool referenceKernels)
    : m_state(std::make_unique<State>(decoder, std::move(plan), exportType, referenceKernels)) {}
Quantizer::~Quantizer() = default;

void Quantizer::setEnabled(bool on) {
    if (on != m_state->enabled) m_state->forget();
    m_state->enabled = on;
}
bool Quantizer::enabled() const { return m_state->enabled; }
void Quantizer::weightsChanged() {
    m_state->forget();
    m_state->history.weightsChanged();
}
void Quantizer::dropCaches() { m_state->forget(); }
const Plan& Quantizer::plan() const { return m_state->plan; }

at::Tensor Quantizer::linear(int module, const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias) {
    const at::Tensor y = input(module, x), matrix = weight(module, w);
    const bool coded = m_state->enabled && m_state->quantizesInput[static_cast<size_t>(module)] && m_state->inputCoded;
    if (!coded || (!wantsGradient(matrix) && !wantsGradient(y))) return at::linear(y, matrix, bias);
    return codedLinear(y, m_state->inputCoded, matrix, bias);
}

at::Tensor Quantizer::embed(int module, const at::Tensor& ids, const at::Tensor& weight, int64_t padId) {
    if (!m_state->enabled || module != m_state->plan.embeddingModule) return at::embedding(weight, ids, padId);
    if (m_state->plan.block.embedding->granularity == records::Granularity::PerTensor)
        return at::embedding(m_state->quantizedWeight(module, weight), ids, padId);
    return m_state->quantizedRows(at::embedding(weight, ids, padId));
}

at::Tensor Quantizer::weight(int module, const at::Tensor& weight) {
    if (!m_state->enabled || !m_state->quantizesWeight[static_cast<size_t>(module)]) return weight;
    return m_state->quantizedWeight(module, weight);
}

at::Tensor Quantizer::input(int module, const at::Tensor& x) {
    if (!m_state->enabled || !m_state->quantizesInput[static_cast<size_t>(module)]) return x;
    return m_state->quantizedInput(x);
}

LayerTelemetry Quantizer::telemetry(int module, int64_t step) {
    if (static_cast<size_t>(module) >= m_state->quantizesWeight.size() || !m_state->quantizesWeight[static_cast<size_t>(module)]) return {};
    const at::Tensor& weight = m_state->weightOf(module);
    return m_state->history.sample(module, weight, m_state->gridFor(module, weight), step);
}
std::vector<std::pair<std::string, at::Tensor>> Quantizer::telemetryState() const { return m_state->history.state(); }
void Quantizer::restoreTelemetry(const std::vector<std::pair<std::string, at::Tensor>>& state) { m_state->history.restore(state); }

} // namespace qw::quant
