// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/scheme_rules.h"

#include "client/project.h"

#include <QCoreApplication>
#include <algorithm>
#include <fnmatch.h>

namespace qw::ui {
namespace {

using checkpoint::Matrix;
using records::Format;
using records::Mapping;
using records::QatBlock;
using records::QuantBlock;

bool matches(const std::string& pattern, const std::string& name) { return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0; }

// Takes `name` out of what the patterns match, and leaves the rest in.
void unmatch(std::vector<std::string>& patterns, const std::vector<Matrix>& matrices, const std::string& name) {
    std::vector<std::string> kept;
    for (const std::string& pattern : patterns) {
        if (!matches(pattern, name)) {
            kept.push_back(pattern);
            continue;
        }
        for (const Matrix& m : matrices)
            if (m.name != name && pattern != m.name && matches(pattern, m.name)) kept.push_back(m.name);
    }
    patterns = std::move(kept);
}

QuantBlock tableBlock() { // the default of an embedding: int8 per row
    QuantBlock block;
    block.granularity = records::Granularity::PerChannel;
    return block;
}

void repair(QuantBlock& b, bool activation) {
    if (b.format == Format::Int4Zp) {
        b.bits = 4;
        b.isSigned = false;
        b.mapping = Mapping::Asymmetric;
        b.zeroDomain = records::ZeroDomain::Float;
        b.granularity = records::Granularity::PerGroup;
        return;
    }
    if (b.format == Format::Int8) {
        b.bits = 8;
        b.isSigned = true;
        b.zeroDomain = records::ZeroDomain::Int;
    }
    if (b.zeroDomain == records::ZeroDomain::Float) {
        b.isSigned = false;
        b.mapping = Mapping::Asymmetric;
    }
    if (!b.isSigned) b.mapping = Mapping::Asymmetric;
    if (activation && b.format == Format::Intx) b.mapping = Mapping::Asymmetric;
    if (b.format != Format::Int8) b.reduceRange = false;
}

} // namespace

void setIncluded(QatBlock& block, const std::vector<Matrix>& matrices, const std::set<std::string>& names, bool in) {
    for (const Matrix& m : matrices) {
        if (!names.contains(m.name)) continue;
        auto& rules = block.modules;
        if (!in) {
            if (m.isHead && rules.lmHead)
                rules.lmHead = false;
            else if (m.isEmbedding)
                block.embedding.reset();
            else if (checkpoint::whyNotAimedAt(block, m).empty())
                rules.exclude.push_back(m.name);
            continue;
        }
        unmatch(rules.exclude, matrices, m.name);
        if (std::ranges::none_of(rules.include, [&](const std::string& p) { return matches(p, m.name); })) rules.include.push_back(m.name);
        if (m.isHead) rules.lmHead = true;
        if (m.isEmbedding && !block.embedding) block.embedding = tableBlock();
    }
}

bool isOverridden(const QatBlock& block, const Matrix& m) {
    const auto& rules = block.modules;
    if (std::ranges::any_of(rules.exclude, [&](const std::string& p) { return matches(p, m.name); })) return true;
    if (std::ranges::none_of(rules.include, [&](const std::string& p) { return matches(p, m.name); })) return true;
    return m.isHead ? rules.lmHead : m.isEmbedding && block.embedding;
}

bool hasOverrides(const QatBlock& block) {
    return block.modules.include != std::vector<std::string>{"*"} || !block.modules.exclude.empty() || block.modules.lmHead;
}

void resetOverrides(QatBlock& block) {
    block.modules.include = {"*"};
    block.modules.exclude.clear();
    block.modules.lmHead = false;
}

QStringList overrideWords(const QatBlock& block) {
    const auto say = [](const char* words) { return QCoreApplication::translate("SchemeRules", words); };
    QStringList out;
    if (block.modules.include != std::vector<std::string>{"*"})
        for (const std::string& p : block.modules.include) out << say("only %1").arg(text(p));
    for (const std::string& p : block.modules.exclude) out << say("without %1").arg(text(p));
    if (block.modules.lmHead) out << say("with lm_head");
    return out;
}

QatBlock repaired(const QatBlock& block) {
    QatBlock out = block;
    if (out.weight) repair(*out.weight, false);
    if (out.activation) repair(*out.activation, true);
    if (out.embedding) repair(*out.embedding, false);
    return out;
}

} // namespace qw::ui
