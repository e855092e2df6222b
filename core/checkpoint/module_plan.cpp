// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/module_plan.h"

#include "numerics/fake_quant.h"

#include <algorithm>
#include <fnmatch.h>
#include <unordered_map>

namespace qw::checkpoint {

namespace {

using records::DType;
using records::Format;
using records::Granularity;
using records::Mapping;
using records::QatBlock;
using records::QuantBlock;
using records::Role;

// The first pattern that matches, or null.
const std::string* matching(const std::vector<std::string>& patterns, const std::string& name) {
    const auto at = std::ranges::find_if(patterns, [&](const std::string& p) { return ::fnmatch(p.c_str(), name.c_str(), 0) == 0; });
    return at == patterns.end() ? nullptr : &*at;
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
    Planner(const QatBlock& block, DType type) : m_block(block), m_type(type) {}

    Result<ModulePlan> run(const std::vector<Matrix>& matrices) {
        if (!m_block.weight && !m_block.activation && !m_block.embedding)
            return Error{"config.invalid",
                         "the scheme quantizes nothing: it has no weight, activation or embedding block",
                         "name a preset, e.g. qat.preset: 8da4w",
                         {},
                         false};
        for (const Matrix& m : matrices)
            if (whyNotAimedAt(m_block, m).empty()) QW_CHECK(decide(m));
        if (m_plan.weight.empty() && m_plan.activation.empty() && m_plan.embedding < 0) return nothing();
        m_plan.bitsPerWeight = m_elements > 0 ? m_bits / static_cast<double>(m_elements) : 0;
        return std::move(m_plan);
    }

private:
    // Quantized, or skipped with its reason; an error is returned only when the scheme cannot be used at all.
    Status decide(const Matrix& m) {
        const auto& weight = m.isEmbedding ? m_block.embedding : m_block.weight;
        const auto& activation = m_block.activation;
        records::LayerInfo info{m.name, m.rows, m.cols, "", "", m_type == DType::F32 ? 32.0 : 16.0};
        if (weight) {
            const auto grid = numerics::resolveGrid(*weight, m.isEmbedding ? Role::Embedding : Role::Weight, m_type, m.rows, m.cols);
            if (!grid) return skipOrFail(std::move(info), grid.error());
            info.bitsPerWeight = numerics::bitsPerWeight(*grid);
            info.scheme = words(*weight);
        }
        if (activation && !m.isEmbedding) {
            const auto grid = numerics::resolveGrid(*activation, Role::Activation, m_type, 1, m.cols);
            if (!grid) {
                info.bitsPerWeight = m_type == DType::F32 ? 32.0 : 16.0;
                return skipOrFail(std::move(info), grid.error());
            }
            info.scheme += (info.scheme.empty() ? "activation " : " + activation ") + words(*activation);
            m_plan.activation.push_back(m.index);
        }
        if (m.isEmbedding)
            m_plan.embedding = m.index;
        else if (weight)
            m_plan.weight.push_back(m.index);
        add(std::move(info));
        return {};
    }

    Status skipOrFail(records::LayerInfo info, const Error& error) {
        if (error.code != "config.conflict") return error;
        if (m_block.modules.onIndivisible == records::OnIndivisible::Error) return Error(error).at(info.name);
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
        for (const std::string& p : m_block.modules.include) patterns += (patterns.empty() ? "" : ", ") + p;
        return Error{"config.invalid",
                     "the scheme matches no layer (qat.modules.include: " + patterns + ")",
                     "patterns are matched against full names such as model.layers.0.self_attn.q_proj; lm_head needs modules.lm_head: true",
                     {},
                     false};
    }

    const QatBlock& m_block;
    ModulePlan m_plan;
    DType m_type;
    int64_t m_elements = 0;
    double m_bits = 0;
    std::string m_hint;
};

} // namespace

std::string whyNotAimedAt(const QatBlock& block, const Matrix& m) {
    if (!matching(block.modules.include, m.name)) return "not in modules.include";
    if (const std::string* pattern = matching(block.modules.exclude, m.name))
        return *pattern == m.name ? std::string("excluded") : "excluded by " + *pattern;
    if (m.isEmbedding) return block.embedding ? "" : "the scheme has no embedding block";
    if (!block.weight && !block.activation) return "the scheme has no weight block";
    return m.isHead && !block.modules.lmHead ? "lm_head is off (modules.lm_head)" : "";
}

Result<ModulePlan> planModules(const QatBlock& block, const std::vector<Matrix>& matrices, DType type) {
    return Planner(block, type).run(matrices);
}

std::vector<Matrix> matricesOf(const ModelConfig& config, bool tied) {
    std::vector<Matrix> out;
    const std::vector<ExpectedTensor> tensors = expectedTensors(config, tied);
    for (const TensorRole role : {TensorRole::Embedding, TensorRole::Linear, TensorRole::Head})
        for (const ExpectedTensor& t : tensors) {
            if (t.role != role || t.shape.size() != 2) continue;
            out.push_back({static_cast<int>(out.size()), t.name.substr(0, t.name.rfind(".weight")), t.name, t.shape[0], t.shape[1],
                           role == TensorRole::Embedding, role == TensorRole::Head});
        }
    if (tied && !out.empty()) {
        const Matrix table = out.front();
        out.push_back({static_cast<int>(out.size()), "lm_head", table.tensor, table.rows, table.cols, false, true});
    }
    return out;
}

DType memberType(const std::string& exportDtype, const std::string& precisionMode) {
    if (exportDtype == "fp32") return DType::F32;
    if (exportDtype == "bf16") return DType::BF16;
    if (exportDtype == "fp16") return DType::F16;
    return precisionMode == "fp32" ? DType::F32 : DType::BF16;
}

int64_t forecastBytes(const ModelConfig& config, bool tied, DType type, const std::vector<records::LayerInfo>& layers) {
    std::unordered_map<std::string, double> widths;
    for (const auto& layer : layers)
        if (layer.skipReason.empty()) widths.emplace(layer.name + ".weight", layer.bitsPerWeight);
    double bytes = 0;
    for (const ExpectedTensor& tensor : expectedTensors(config, tied)) {
        const auto width = widths.find(tensor.name);
        double elements = 1;
        for (const int64_t d : tensor.shape) elements *= static_cast<double>(d);
        bytes += elements / 8.0 * (width == widths.end() ? 8.0 * static_cast<double>(numerics::sizeOf(type)) : width->second);
    }
    return static_cast<int64_t>(bytes);
}

} // namespace qw::checkpoint
