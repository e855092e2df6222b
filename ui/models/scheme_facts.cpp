// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/scheme_facts.h"

#include "client/project.h"
#include "models/scheme_rules.h"
#include "numerics/fake_quant.h"

namespace qw::ui {
namespace {

using checkpoint::Matrix;
using records::DType;
using records::QatBlock;

double plainBits(DType type) { return 8.0 * static_cast<double>(numerics::sizeOf(type)); }

// The scheme aimed at everything, to say what a layer would get.
QatBlock open(const QatBlock& block) {
    QatBlock out = block;
    out.modules.include = {"*"};
    out.modules.exclude.clear();
    out.modules.lmHead = true;
    out.modules.onIndivisible = records::OnIndivisible::Skip;
    return out;
}

std::vector<LayerFact> layerFacts(const QatBlock& block, DType type, const std::vector<Matrix>& matrices) {
    std::vector<LayerFact> out;
    QHash<QString, records::LayerInfo> all;
    if (const auto plan = checkpoint::planModules(open(block), matrices, type))
        for (const auto& layer : plan->layers) all.insert(text(layer.name), layer);
    for (const Matrix& m : matrices) {
        LayerFact fact;
        fact.matrix = m;
        fact.overridden = isOverridden(block, m);
        fact.bits = plainBits(type);
        const auto possible = all.constFind(text(m.name));
        if (possible != all.cend()) fact.scheme = text(possible->scheme);
        const std::string why = checkpoint::whyNotAimedAt(block, m);
        fact.aimed = why.empty();
        fact.reason = text(why);
        if (fact.aimed && possible != all.cend()) {
            fact.quantized = possible->skipReason.empty();
            fact.bits = possible->bitsPerWeight;
            fact.reason = text(possible->skipReason);
        }
        out.push_back(std::move(fact));
    }
    return out;
}

std::vector<records::LayerInfo> infos(const std::vector<LayerFact>& layers) {
    std::vector<records::LayerInfo> out;
    for (const LayerFact& l : layers)
        if (l.aimed)
            out.push_back({l.matrix.name, l.matrix.rows, l.matrix.cols, utf8(l.scheme), l.quantized ? "" : utf8(l.reason), l.bits});
    return out;
}

} // namespace

Matrix syntheticMatrix() { return {0, "synthetic", "synthetic.weight", 1024, 4096, false, false}; }

SchemeFacts schemeFacts(const QatBlock& block, DType type, const checkpoint::Inspection* model) {
    SchemeFacts facts;
    facts.synthetic = !model;
    const std::vector<Matrix> matrices =
        model ? checkpoint::matricesOf(model->config, model->tied) : std::vector<Matrix>{syntheticMatrix()};
    facts.layers = layerFacts(block, type, matrices);
    for (const LayerFact& l : facts.layers) {
        facts.quantized += l.quantized;
        if (l.aimed && !l.quantized && !l.reason.isEmpty()) {
            ++facts.skipped;
            facts.indivisible << text(l.matrix.name);
        }
    }
    QatBlock lenient = block;
    lenient.modules.onIndivisible = records::OnIndivisible::Skip;
    auto plan = checkpoint::planModules(lenient, matrices, type);
    if (plan) facts.bits = plan->bitsPerWeight;
    if (plan && facts.skipped && !(lenient == block)) plan = checkpoint::planModules(block, matrices, type);
    if (!plan && (model || plan.error().code != "config.conflict")) {
        facts.code = text(plan.error().code);
        facts.problem = text(plan.error().message);
        facts.fix = text(plan.error().hint);
    }
    if (!model) return facts;
    facts.bytes = checkpoint::forecastBytes(model->config, model->tied, type, infos(facts.layers));
    facts.plainBytes = checkpoint::forecastBytes(model->config, model->tied, type, {});
    facts.usualBytes = facts.bytes;
    if (!hasOverrides(block)) return facts;
    QatBlock usual = block;
    resetOverrides(usual);
    facts.usualBytes = checkpoint::forecastBytes(model->config, model->tied, type, infos(layerFacts(usual, type, matrices)));
    return facts;
}

} // namespace qw::ui
