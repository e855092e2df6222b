// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/load.h"
#include "quant/quantizer.h"

#include <fnmatch.h>

#include <algorithm>

namespace qw::quant {

namespace {

using records::DType;
using records::Format;
using records::Granularity;
using records::Mapping;
using records::QatBlock;
using records::QuantBlock;
using records::Role;

// A matrix that a scheme could act on.
struct Candidate {
    int module;
    std::string name;
    int64_t rows, cols;
    bool isEmbedding, isHead;
};

bool matches(const std::vector<std::string>& patterns, const std::string& name) {
    return std::ranges::any_of(patterns, [&](const std::string& p) { return ::fnmatch(p.c_str(), name.c_str(), 0) == 0; });
}

std::string words(const QuantBlock& b) {
    std::string text = (b.isSigned ? "int" : "uint") + std::to_string(b.bits);
    if (b.format == Format::Int4Zp) text = "int4-zp";
    switch (b.granularity) {
    case Granularity::PerGroup:
        text += " g" + std::to_string(b.groupSize);
        break;
    case Granularity::PerChannel:
        text += " per-channel";
        break;
    case Granularity::PerToken:
        text += " per-token";
        break;
    case Granularity::PerTensor:
        text += " per-tensor";
        break;
    }
    if (b.format == Format::Int4Zp) return text;
    if (b.zeroDomain == records::ZeroDomain::Float) return text + " float zero";
    return text + (b.mapping == Mapping::Asymmetric ? " asym" : b.mapping == Mapping::Symmetric ? " sym" : " sym-no-clip");
}

class Planner {
public:
    Planner(const QatBlock& block, DType type) : m_type(type) { m_plan.block = block; }

    Result<Plan> run(const std::vector<Candidate>& candidates) {
        if (!m_plan.block.weight && !m_plan.block.activation && !m_plan.block.embedding)
            return Error{"config.invalid",
                         "the scheme quantizes nothing: it has no weight, activation or embedding block",
                         "name a preset, e.g. qat.preset: 8da4w",
                         {},
                         false};
        for (const Candidate& c : candidates)
            if (aimedAt(c)) QW_CHECK(decide(c));
        if (m_plan.weightModules.empty() && m_plan.activationModules.empty() && m_plan.embeddingModule < 0) return nothing();
        m_plan.bitsPerWeight = m_elements > 0 ? m_bits / static_cast<double>(m_elements) : 0;
        return std::move(m_plan);
    }

private:
    [[nodiscard]] bool aimedAt(const Candidate& c) const {
        const records::ModuleRules& rules = m_plan.block.modules;
        if (!matches(rules.include, c.name) || matches(rules.exclude, c.name)) return false;
        if (c.isEmbedding) return m_plan.block.embedding.has_value();
        if (!m_plan.block.weight && !m_plan.block.activation) return false;
        return !c.isHead || rules.lmHead;
    }

    // Quantized, or skipped with its reason; an error is returned only when the scheme cannot be used at all.
    Status decide(const Candidate& c) {
        const auto& weight = c.isEmbedding ? m_plan.block.embedding : m_plan.block.weight;
        const auto& activation = m_plan.block.activation;
        records::LayerInfo info{c.name, c.rows, c.cols, "", "", m_type == DType::F32 ? 32.0 : 16.0};
        if (weight) {
            const auto grid = numerics::resolveGrid(*weight, c.isEmbedding ? Role::Embedding : Role::Weight, m_type, c.rows, c.cols);
            if (!grid) return skipOrFail(std::move(info), grid.error());
            info.bitsPerWeight = numerics::bitsPerWeight(*grid);
            info.scheme = words(*weight);
        }
        if (activation && !c.isEmbedding) {
            const auto grid = numerics::resolveGrid(*activation, Role::Activation, m_type, 1, c.cols);
            if (!grid) {
                info.bitsPerWeight = m_type == DType::F32 ? 32.0 : 16.0;
                return skipOrFail(std::move(info), grid.error());
            }
            info.scheme += (info.scheme.empty() ? "activation " : " + activation ") + words(*activation);
            m_plan.activationModules.push_back(c.module);
        }
        if (c.isEmbedding)
            m_plan.embeddingModule = c.module;
        else if (weight)
            m_plan.weightModules.push_back(c.module);
        add(std::move(info));
        return {};
    }

    Status skipOrFail(records::LayerInfo info, const Error& error) {
        if (error.code != "config.conflict") return error;
        if (m_plan.block.modules.onIndivisible == records::OnIndivisible::Error) return Error(error).at(info.name);
        info.scheme.clear();
        info.skipReason = error.message;
        m_hint = error.hint;
        add(std::move(info));
        return {};
    }

    void add(records::LayerInfo info) {
        m_elements += info.rows * info.cols;
        m_bits += info.bitsPerWeight * static_cast<double>(info.rows * info.cols);
        m_plan.layers.push_back(std::move(info));
    }

    [[nodiscard]] Error nothing() const {
        if (!m_plan.layers.empty())
            return Error{"config.invalid",
                         "the scheme quantizes no layer: " + m_plan.layers.front().name + ": " + m_plan.layers.front().skipReason,
                         m_hint,
                         {},
                         false};
        std::string patterns;
        for (const std::string& p : m_plan.block.modules.include) patterns += (patterns.empty() ? "" : ", ") + p;
        return Error{"config.invalid",
                     "the scheme matches no layer (qat.modules.include: " + patterns + ")",
                     "patterns are matched against full names such as model.layers.0.self_attn.q_proj; lm_head needs modules.lm_head: true",
                     {},
                     false};
    }

    Plan m_plan;
    DType m_type;
    int64_t m_elements = 0;
    double m_bits = 0;
    std::string m_hint;
};

} // namespace

Result<Plan> plan(const model::Decoder& decoder, const records::QatBlock& block, std::optional<records::DType> exportType) {
    std::vector<Candidate> candidates;
    for (size_t i = 0; i < decoder.modules().size(); ++i) {
        const model::Module& m = decoder.modules()[i];
        if (m.parameter < 0) continue;
        const at::Tensor& weight = decoder.parameters()[static_cast<size_t>(m.parameter)].tensor;
        candidates.push_back({static_cast<int>(i), m.name, weight.size(0), weight.size(1), m.isEmbedding, m.isHead});
    }
    const DType own = model::toRecord(decoder.type());
    return Planner(block, exportType && own == DType::F32 ? *exportType : own).run(candidates);
}

Result<Plan> plan(const checkpoint::ModelConfig& config, bool tied, const records::QatBlock& block, records::DType type) {
    // In the order of Decoder::modules(): the embedding, every linear of the layers, lm_head.
    std::vector<Candidate> candidates;
    const auto add = [&](const checkpoint::ExpectedTensor& t) {
        if (t.shape.size() != 2) return;
        const std::string name = t.name.substr(0, t.name.rfind(".weight"));
        candidates.push_back({static_cast<int>(candidates.size()), name, t.shape[0], t.shape[1],
                              t.role == checkpoint::TensorRole::Embedding, t.role == checkpoint::TensorRole::Head});
    };
    const std::vector<checkpoint::ExpectedTensor> tensors = checkpoint::expectedTensors(config, tied);
    for (const auto& t : tensors)
        if (t.role == checkpoint::TensorRole::Embedding) add(t);
    for (const auto& t : tensors)
        if (t.role == checkpoint::TensorRole::Linear) add(t);
    for (const auto& t : tensors)
        if (t.role == checkpoint::TensorRole::Head) add(t);
    if (tied && !candidates.empty()) {
        const Candidate table = candidates.front();
        candidates.push_back({static_cast<int>(candidates.size()), "lm_head", table.rows, table.cols, false, true});
    }
    return Planner(block, type).run(candidates);
}

} // namespace qw::quant
