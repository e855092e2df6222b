// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/rope.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bitwise_and.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <algorithm>
#include <cmath>
#include <numbers>

namespace qw::model {
namespace {

using checkpoint::Rope;

// base^(2i/d), fp32
at::Tensor powers(double theta, int64_t dim) {
    const at::Tensor exponent = at::arange(0, dim, 2, at::TensorOptions().dtype(at::kLong)).to(at::kFloat) / static_cast<double>(dim);
    return at::pow(at::Scalar(theta), exponent);
}

at::Tensor plain(double theta, int64_t dim) { return at::reciprocal(powers(theta, dim)); }

at::Tensor llama3(const Rope& rope, int64_t dim) {
    const at::Tensor inverse = plain(rope.theta, dim);
    const auto original = static_cast<double>(rope.originalMaxPositions);
    const double lowWave = original / rope.lowFreqFactor, highWave = original / rope.highFreqFactor;
    const at::Tensor wave = at::reciprocal(inverse) * (2 * std::numbers::pi);
    const at::Tensor scaled = at::where(wave > lowWave, inverse / rope.factor, inverse);
    const at::Tensor smooth = (at::reciprocal(wave) * original - rope.lowFreqFactor) / (rope.highFreqFactor - rope.lowFreqFactor);
    const at::Tensor blended = (1 - smooth) * scaled / rope.factor + smooth * scaled;
    const at::Tensor medium = at::bitwise_and(wave >= highWave, wave <= lowWave);
    return at::where(medium, blended, scaled);
}

double yarnScale(double factor, double mscale) { return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0; }

at::Tensor yarn(const Rope& rope, int64_t dim) {
    const auto d = static_cast<double>(dim);
    const auto correction = [&](double beta) {
        return d * std::log(static_cast<double>(rope.originalMaxPositions) / (beta * 2 * std::numbers::pi)) / (2 * std::log(rope.theta));
    };
    double low = correction(rope.betaFast), high = correction(rope.betaSlow);
    if (rope.truncate) {
        low = std::floor(low);
        high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, d - 1);
    if (low == high) high += 0.001;
    const at::Tensor ramp = ((at::arange(dim / 2, at::TensorOptions().dtype(at::kFloat)) - low) / (high - low)).clamp(0, 1);
    const at::Tensor keep = 1 - ramp;
    const at::Tensor base = powers(rope.theta, dim);
    return at::reciprocal(base * rope.factor) * (1 - keep) + at::reciprocal(base) * keep;
}

double yarnAttention(const Rope& rope) {
    if (rope.attentionFactor) return *rope.attentionFactor;
    if (rope.mscale && rope.mscaleAllDim && *rope.mscale != 0 && *rope.mscaleAllDim != 0)
        return yarnScale(rope.factor, *rope.mscale) / yarnScale(rope.factor, *rope.mscaleAllDim);
    return yarnScale(rope.factor, 1);
}

double longropeAttention(const Rope& rope, int64_t maxPositions) {
    if (rope.attentionFactor) return *rope.attentionFactor;
    const auto original = static_cast<double>(rope.originalMaxPositions);
    const double factor = rope.longropeFactor.value_or(static_cast<double>(maxPositions) / original);
    return factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(original));
}

} // namespace

RopeFrequencies ropeFrequencies(const Rope& rope, int64_t headDim, int64_t maxPositions, int64_t length) {
    if (rope.type == "linear") return {plain(rope.theta, headDim) / rope.factor, 1};
    if (rope.type == "dynamic") {
        const auto longest = static_cast<double>(std::max(length, maxPositions));
        const auto d = static_cast<double>(headDim);
        const double grown = rope.factor * longest / static_cast<double>(maxPositions) - (rope.factor - 1);
        return {plain(rope.theta * std::pow(grown, d / (d - 2)), headDim), 1};
    }
    if (rope.type == "llama3") return {llama3(rope, headDim), 1};
    if (rope.type == "yarn") return {yarn(rope, headDim), yarnAttention(rope)};
    if (rope.type == "longrope") {
        const auto& factors = length > rope.originalMaxPositions ? rope.longFactor : rope.shortFactor;
        const at::Tensor stretch = at::tensor(factors, at::TensorOptions().dtype(at::kDouble)).to(at::kFloat);
        return {at::reciprocal(stretch * powers(rope.theta, headDim)), longropeAttention(rope, maxPositions)};
    }
    return {plain(rope.theta, headDim), 1};
}

bool sameRope(const Rope& rope, int64_t headDim, int64_t maxPositions, int64_t length, int64_t other) {
    if (rope.type != "dynamic" && rope.type != "longrope") return true;
    const auto of = [&](int64_t tokens) { return ropeFrequencies(rope, headDim, maxPositions, tokens).inverse; };
    return at::equal(of(length), of(other));
}

RopeTable ropeTable(const RopeFrequencies& frequencies, const at::Tensor& positions, at::ScalarType type) {
    const at::Tensor half = positions.to(at::kFloat).unsqueeze(-1) * frequencies.inverse.to(positions.device());
    const at::Tensor angles = at::cat({half, half}, -1).unsqueeze(1); // [R, 1, S, D]
    return {(at::cos(angles) * frequencies.attentionScale).to(type), (at::sin(angles) * frequencies.attentionScale).to(type)};
}

at::Tensor rotate(const at::Tensor& x, const RopeTable& table) {
    const int64_t half = x.size(-1) / 2;
    const at::Tensor turned = at::cat({-x.narrow(-1, half, half), x.narrow(-1, 0, half)}, -1);
    return x * table.cosine + turned * table.sine;
}

} // namespace qw::model
