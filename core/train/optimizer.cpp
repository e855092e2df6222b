// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/optimizer.h"

#include "train/update_kernels.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros_like.h>
#include <algorithm>
#include <cmath>
#include <regex>

namespace qw::train {
namespace {

constexpr int64_t kNormBlock = 4096; // elements of one partial sum
constexpr int64_t kUpdateGrain = 16384;

Result<std::vector<std::regex>> compile(const std::vector<std::string>& patterns, const char* key) {
    std::vector<std::regex> compiled;
    for (const std::string& pattern : patterns) {
        try {
            compiled.emplace_back(pattern, std::regex::ECMAScript | std::regex::optimize);
        } catch (const std::regex_error& error) {
            return Error{"config.invalid",
                         std::string(key) + ": \"" + pattern + "\" is not a regular expression: " + error.what(),
                         "patterns are ECMAScript regular expressions on parameter names",
                         {},
                         false};
        }
    }
    return compiled;
}

// no_decay: biases and norms, and embeddings when asked (training.md 4).
bool decays(const records::OptimBlock& optim, const model::Parameter& parameter) {
    if (optim.decayRule == "all") return true;
    if (parameter.role == checkpoint::TensorRole::Norm || parameter.role == checkpoint::TensorRole::Bias) return false;
    return parameter.role != checkpoint::TensorRole::Embedding || optim.decayEmbeddings;
}

void addState(Slot& slot, const records::OptimBlock& optim) {
    const at::Tensor& like = slot.master.defined() ? slot.master : slot.param;
    const auto zeros = [&] { return at::zeros_like(like, like.options().requires_grad(false)); };
    if (optim.name == "adamw") {
        slot.first = zeros();
        slot.second = zeros();
        if (optim.amsgrad) slot.third = zeros();
    } else if (optim.momentum != 0) {
        slot.first = zeros();
    }
}

double squaresOf(const at::Tensor& grad) {
    const int64_t count = grad.numel();
    const int64_t blocks = (count + kNormBlock - 1) / kNormBlock;
    std::vector<double> sums(static_cast<size_t>(blocks), 0.0);
    const bool wide = grad.scalar_type() == at::kFloat;
    const auto* f32 = wide ? grad.const_data_ptr<float>() : nullptr;
    const auto* bf16 = wide ? nullptr : static_cast<const uint16_t*>(grad.const_data_ptr());
    at::parallel_for(0, blocks, 4, [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; ++b) {
            const int64_t at = b * kNormBlock;
            const int64_t n = std::min(kNormBlock, count - at);
            sums[static_cast<size_t>(b)] = wide ? squaresF32(n, f32 + at) : squaresBf16(n, bf16 + at);
        }
    });
    double total = 0;
    for (const double sum : sums) total += sum;
    return total;
}

template<class T> T* pointer(const at::Tensor& tensor) { return tensor.defined() ? static_cast<T*>(tensor.data_ptr()) : nullptr; }

template<class Body> void inPieces(int64_t count, const Body& body) {
    at::parallel_for(0, count, kUpdateGrain, [&](int64_t begin, int64_t end) { body(begin, end - begin); });
}

template<class T> T* shifted(T* base, int64_t by) { return base ? base + by : nullptr; }

AdamWStep adamwStep(const records::OptimBlock& optim, const Slot& slot, int64_t updates, double lr, double gradScale) {
    const auto t = static_cast<double>(updates + 1);
    AdamWStep s;
    s.lr = static_cast<float>(lr);
    s.keep = static_cast<float>(1.0 - lr * slot.weightDecay);
    s.beta1 = static_cast<float>(optim.betas[0]);
    s.beta1Rest = static_cast<float>(1.0 - optim.betas[0]);
    s.beta2 = static_cast<float>(optim.betas[1]);
    s.beta2Rest = static_cast<float>(1.0 - optim.betas[1]);
    s.bias1 = static_cast<float>(1.0 - std::pow(optim.betas[0], t));
    s.bias2 = static_cast<float>(1.0 - std::pow(optim.betas[1], t));
    s.eps = static_cast<float>(optim.eps);
    s.gradScale = static_cast<float>(gradScale);
    return s;
}

SgdStep sgdStep(const records::OptimBlock& optim, const Slot& slot, int64_t updates, double lr, double gradScale) {
    SgdStep s;
    s.lr = static_cast<float>(lr);
    s.momentum = static_cast<float>(optim.momentum);
    s.dampRest = static_cast<float>(1.0 - optim.dampening);
    s.weightDecay = static_cast<float>(slot.weightDecay);
    s.gradScale = static_cast<float>(gradScale);
    s.nesterov = optim.nesterov;
    s.first = updates == 0;
    return s;
}

} // namespace

double clipCoefficient(std::optional<double> clipNorm, double norm) {
    if (!clipNorm || std::isinf(*clipNorm)) return 1.0;
    return std::min(1.0, *clipNorm / (norm + 1e-6));
}

Result<Optimizer> Optimizer::create(const records::OptimBlock& optim, const records::PrecisionBlock& precision,
                                    std::vector<model::Parameter>& parameters, const MasterReader& readMaster) {
    if (optim.name != "adamw" && optim.name != "sgd")
        return Error{"config.invalid", "optim.name is \"" + optim.name + "\"", "choose adamw or sgd", {}, false};
    QW_TRY(const std::vector<std::regex> frozen, compile(optim.freeze, "optim.freeze"));
    std::vector<std::string> groupPatterns;
    for (const records::LrGroup& group : optim.lrGroups) groupPatterns.push_back(group.pattern);
    QW_TRY(const std::vector<std::regex> groups, compile(groupPatterns, "optim.lr_groups"));

    Optimizer result;
    result.m_optim = optim;
    const bool master = precision.mode == "bf16_master";
    for (model::Parameter& parameter : parameters) {
        const auto matches = [&](const std::regex& pattern) { return std::regex_search(parameter.name, pattern); };
        const bool train = std::none_of(frozen.begin(), frozen.end(), matches);
        parameter.tensor.mutable_grad().reset();
        parameter.tensor.set_requires_grad(train);
        if (!train) {
            result.m_frozen.push_back(parameter.name);
            continue;
        }
        Slot slot;
        slot.name = parameter.name;
        slot.layer = parameter.layer;
        slot.param = parameter.tensor;
        slot.weightDecay = decays(optim, parameter) ? optim.weightDecay : 0.0;
        for (size_t i = 0; i < groups.size(); ++i) // the first group that matches decides
            if (matches(groups[i])) {
                slot.lrScale = optim.lrGroups[i].lrScale;
                break;
            }
        if (master && parameter.tensor.scalar_type() != at::kFloat) {
            slot.master = parameter.tensor.detach().to(at::kFloat);
            if (readMaster) readMaster(slot.name, slot.master);
            if (precision.gradDtype == "fp32") slot.gradSum = at::zeros_like(slot.master);
        }
        addState(slot, optim);
        result.m_slots.push_back(std::move(slot));
    }
    if (result.m_slots.empty())
        return Error{"config.invalid", "optim.freeze leaves no parameter to train", "freeze fewer parameters", {}, false};
    return result;
}

at::Tensor Optimizer::gradient(const Slot& slot) const { return slot.gradSum.defined() ? slot.gradSum : slot.param.grad(); }

void Optimizer::clearGradients() {
    for (Slot& slot : m_slots) {
        slot.param.mutable_grad().reset();
        if (slot.gradSum.defined()) slot.gradSum.zero_();
    }
}

void Optimizer::collectMicroBatch() {
    for (Slot& slot : m_slots) {
        if (!slot.gradSum.defined() || !slot.param.grad().defined()) continue;
        slot.gradSum.add_(slot.param.grad());
        slot.param.mutable_grad().reset();
    }
}

GradNorm Optimizer::norm() const {
    double total = 0;
    for (const Slot& slot : m_slots) {
        const at::Tensor grad = gradient(slot);
        if (!grad.defined()) continue;
        if (grad.is_cpu()) {
            total += squaresOf(grad.contiguous());
        } else {
            const double part = at::linalg_vector_norm(grad, 2, std::nullopt, false, at::kFloat).item<double>();
            total += part * part;
        }
    }
    const double norm = std::sqrt(total);
    return {norm, std::isfinite(norm)};
}

void Optimizer::updateHost(Slot& slot, int64_t updates, double lr, double gradScale) const {
    const at::Tensor grad = gradient(slot).contiguous();
    const int64_t count = slot.param.numel();
    const bool adam = m_optim.name == "adamw";
    const AdamWStep a = adamwStep(m_optim, slot, updates, lr, gradScale);
    const SgdStep s = sgdStep(m_optim, slot, updates, lr, gradScale);
    const at::Tensor& weight = slot.master.defined() ? slot.master : slot.param;
    if (weight.scalar_type() != at::kFloat) {
        auto* w = pointer<uint16_t>(weight);
        const auto* g = pointer<uint16_t>(grad);
        auto *m = pointer<uint16_t>(slot.first), *v = pointer<uint16_t>(slot.second), *top = pointer<uint16_t>(slot.third);
        inPieces(count, [&](int64_t at, int64_t n) {
            if (adam)
                adamwBf16(a, n, w + at, g + at, m + at, v + at, shifted(top, at));
            else
                sgdBf16(s, n, w + at, g + at, shifted(m, at));
        });
        return;
    }
    auto *w = pointer<float>(weight), *m = pointer<float>(slot.first), *v = pointer<float>(slot.second), *top = pointer<float>(slot.third);
    auto* work = slot.master.defined() ? pointer<uint16_t>(slot.param) : nullptr;
    const bool wideGrad = grad.scalar_type() == at::kFloat;
    const auto* g32 = wideGrad ? pointer<float>(grad) : nullptr;
    const auto* g16 = wideGrad ? nullptr : pointer<uint16_t>(grad);
    inPieces(count, [&](int64_t at, int64_t n) {
        if (adam && wideGrad)
            adamwF32(a, n, w + at, g32 + at, m + at, v + at, shifted(top, at));
        else if (adam)
            adamwF32Bf16Grad(a, n, w + at, g16 + at, m + at, v + at, shifted(top, at));
        else if (wideGrad)
            sgdF32(s, n, w + at, g32 + at, shifted(m, at));
        else
            sgdF32Bf16Grad(s, n, w + at, g16 + at, shifted(m, at));
        if (work) roundToBf16(n, w + at, work + at);
    });
}

// The same formulas as update_kernels.cpp, one operation at a time, in fp32.
void Optimizer::updateDevice(Slot& slot, int64_t updates, double lr, double gradScale) const {
    at::Tensor weight = slot.master.defined() ? slot.master : slot.param;
    at::Tensor w = weight.detach().to(at::kFloat);
    at::Tensor g = gradient(slot).to(at::kFloat).mul(gradScale);
    if (m_optim.name == "adamw") {
        const AdamWStep s = adamwStep(m_optim, slot, updates, lr, gradScale);
        const at::Tensor m = slot.first.to(at::kFloat).mul(s.beta1).add(g.mul(s.beta1Rest));
        const at::Tensor v = slot.second.to(at::kFloat).mul(s.beta2).add(g.mul(g).mul(s.beta2Rest));
        slot.first.copy_(m);
        slot.second.copy_(v);
        at::Tensor square = v;
        if (slot.third.defined()) {
            square = v.maximum(slot.third.to(at::kFloat));
            slot.third.copy_(square);
        }
        w = w.mul(s.keep).sub(m.div(s.bias1).mul(s.lr).div(square.div(s.bias2).sqrt().add(s.eps)));
    } else {
        const SgdStep s = sgdStep(m_optim, slot, updates, lr, gradScale);
        g = g.add(w.mul(s.weightDecay));
        if (slot.first.defined()) {
            const at::Tensor next = s.first ? g : slot.first.to(at::kFloat).mul(s.momentum).add(g.mul(s.dampRest));
            slot.first.copy_(next);
            g = s.nesterov ? g.add(next.mul(s.momentum)) : next;
        }
        w = w.sub(g.mul(s.lr));
    }
    weight.detach().copy_(w);
    if (slot.master.defined()) slot.param.detach().copy_(w);
}

void Optimizer::update(int64_t updates, double lr, double gradScale) {
    const at::NoGradGuard noGrad;
    for (Slot& slot : m_slots) {
        if (!gradient(slot).defined()) continue;
        if (slot.param.is_cpu() && slot.param.is_contiguous())
            updateHost(slot, updates, lr * slot.lrScale, gradScale);
        else
            updateDevice(slot, updates, lr * slot.lrScale, gradScale);
    }
}

std::vector<std::pair<std::string, at::Tensor>> Optimizer::state(const Slot& slot) const {
    std::vector<std::pair<std::string, at::Tensor>> all;
    const bool adam = m_optim.name == "adamw";
    if (slot.first.defined()) all.emplace_back(adam ? "exp_avg" : "momentum_buffer", slot.first);
    if (slot.second.defined()) all.emplace_back("exp_avg_sq", slot.second);
    if (slot.third.defined()) all.emplace_back("max_exp_avg_sq", slot.third);
    if (slot.master.defined()) all.emplace_back("master", slot.master);
    return all;
}

} // namespace qw::train
